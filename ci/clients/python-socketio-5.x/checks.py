"""The checks, in this order. The client for threads handles every message in a thread of its own. So order, and what
needs it, as attachments do, is asked of the one for asyncio alone."""

import asyncio
import signal

import socketio

from bench import bounded, equal, is_empty, port_of_its_own, refused, until

FIVE_PINGS = 1.5  # s: longer than an unanswered ping lets a connection live
AGAIN = {"reconnection": True, "reconnection_delay": 0.05, "randomization_factor": 0}


def in_order(check):
    check.kinds = ["asyncio"]
    return check


def needs_server(check):
    check.needs_server = True
    return check


# --- connections and events


async def connects_over_the_transport_asked_for(bench):
    client = await bench.open()
    equal(client.carrier, "polling" if bench.transport == "polling" else "websocket")


async def has_an_id_that_nobody_else_has(bench):
    one, two = await bench.open(), await bench.open()
    equal(len({one.id(), two.id(), one.sio.eio.sid, two.sio.eio.sid}), 4)


async def authenticates(bench):
    equal(await (await bench.open()).heard("auth"), [[{}]])
    auth = {"token": "é𝄞", "nested": [1, None]}
    equal(await (await bench.open(auth=auth)).heard("auth"), [[auth]])


async def query_headers_and_auth_reach_the_server(bench):
    client = await bench.open(url=f"{bench.url}?token=a%20b", headers={"X-Mine": "yes"}, auth={"who": 1})
    [seen] = await client.call("handshake")
    equal((seen["query"]["token"], seen["query"]["EIO"]), ("a b", "4"))
    equal(seen["headers"]["x-mine"], "yes")
    equal(seen["auth"], {"who": 1})


async def sends_an_event_and_receives_one(bench):
    client = await bench.open()
    args = ["text", 1.5, None, True, "", {"nested": [1, "é 𝄞 \u2028\x1e\\\"", {}]}, []]
    await client.emit("message", *args)
    equal(await client.heard("message-back"), [args])


async def sends_and_receives_an_event_without_arguments(bench):
    client = await bench.open()
    await client.emit("message")
    equal(await client.heard("message-back"), [[]])


@in_order
async def sends_events_in_order(bench):
    client = await bench.open()
    for i in range(200):
        await client.emit("burst", 1, "item", i)
    await client.call("burst", 0, "item")
    equal(client.seen("item"), [[0, i] for i in range(200)])


@in_order
async def receives_a_burst_in_order(bench):
    client = await bench.open()
    await client.call("burst", 500, "item", "x")
    equal(client.seen("item"), [[i, "x"] for i in range(500)])


async def receives_all_of_a_burst(bench):
    client = await bench.open()
    await client.emit("burst", 100, "item", "x")
    equal(sorted(await client.heard("item", count=100)), [[i, "x"] for i in range(100)])


async def sends_and_receives_a_large_message(bench):
    client = await bench.open()
    text = "é𝄞 " * 40_000  # 19 bytes each: this client escapes what is not ASCII
    [back] = await client.call("message-with-ack", text)
    assert back == text, f"{len(back)} characters came back of {len(text)}"


async def receives_a_volatile_event(bench):
    client = await bench.open()
    async def came():
        await client.call("volatile", "fleeting", 1)
        return client.seen("fleeting")

    await until("one that comes while a poll is open", came)
    equal(client.seen("fleeting")[0], [1])


async def pings_keep_it_open(bench):
    client = await bench.open()
    await asyncio.sleep(FIVE_PINGS)
    equal(client.seen("disconnect"), [])
    equal(await client.call("message-with-ack", "still here"), ["still here"])


# --- acknowledgements


async def is_acknowledged(bench):
    client = await bench.open()
    equal(await client.call("message-with-ack", "a", {"b": [2]}), ["a", {"b": [2]}])
    equal(await client.call("message-with-ack"), [])
    equal(await client.call_one("message-with-ack", "one"), "one")


@in_order
async def is_acknowledged_after_what_the_event_caused(bench):
    client = await bench.open()
    equal(await client.call("message", "a"), [])
    equal(client.seen("message-back"), [["a"]])


async def each_acknowledgement_reaches_its_own_event(bench):
    client = await bench.open()
    answers = await asyncio.gather(*(client.call("message-with-ack", i) for i in range(20)))
    equal(answers, [[i] for i in range(20)])


async def an_acknowledgement_that_does_not_come_times_out(bench):
    client = await bench.open()
    try:
        await client.call_one("an event that the contract does not know", timeout=0.05)
    except socketio.exceptions.TimeoutError:
        return
    raise AssertionError("there was no timeout")


async def acknowledges(bench):
    client = await bench.open()
    client.answer("question", lambda word: (word.upper(), {"n": 1}))
    await client.emit("ask", "why")
    equal(await client.heard("answer"), [["WHY", {"n": 1}]])


async def an_answer_in_time_is_taken(bench):
    client = await bench.open()
    client.answer("question", lambda: "quick")
    await client.emit("ask-timeout", 4000)
    equal(await client.heard("answer"), [["quick"]])
    equal(client.seen("answer-timeout"), [])


@in_order
async def an_answer_too_late_does_nothing(bench):
    client = await bench.open()

    async def late():
        await client.heard("answer-timeout")
        return "late"

    client.answer("question", late)
    await client.emit("ask-timeout", 50)
    await client.heard("answer-timeout")
    await client.call("message-with-ack")
    await client.call("message-with-ack")
    equal(client.seen("answer"), [])


# --- attachments


@in_order
async def sends_and_receives_bytes(bench):
    client = await bench.open()
    value = {"a": [b"\x01", {"b": b"\x02\x03"}], "c": None}
    await client.emit("message", b"\x00\xff", "and text", value, b"")
    equal(await client.heard("message-back"), [[b"\x00\xff", "and text", value, b""]])


@in_order
async def receives_the_attachments_in_their_places(bench):
    client = await bench.open()
    await client.emit("binary", 9)
    equal(await client.heard("binary"), [[{"part": k, "data": bytes([1, 2, 3, k])} for k in range(9)]])


@in_order
async def is_acknowledged_with_bytes(bench):
    client = await bench.open()
    equal(await client.call("message-with-ack", {"x": b"\x01\x02"}), [{"x": b"\x01\x02"}])


@in_order
async def acknowledges_with_bytes(bench):
    client = await bench.open()
    client.answer("question", lambda data: ({"data": data}, data + data))
    await client.emit("ask", b"\x07\x08")
    equal(await client.heard("answer"), [[{"data": b"\x07\x08"}, b"\x07\x08\x07\x08"]])


@in_order
async def sends_and_receives_large_bytes(bench):
    client = await bench.open()
    data = bytes(range(251)) * 2000
    [back] = await client.call("message-with-ack", data)
    assert back == data, f"{len(back)} bytes came back of {len(data)}"


@in_order
async def bytes_reach_a_room(bench):
    sender, other = await bench.open(), await bench.open()
    room, event = bench.fresh(), bench.fresh()
    await other.call("join", room)
    await sender.call("to", room, event, {"data": b"\x05"})
    equal(await other.heard(event), [[{"data": b"\x05"}]])


# --- namespaces


async def joins_several_namespaces(bench):
    client = await bench.open("/", "/custom", "/dynamic-7", auth={"a": 1})
    names = ["/", "/custom", "/dynamic-7"]
    equal(len({client.id(name) for name in names}), 3)
    for name in names:
        equal(await client.heard("auth", name), [[{"a": 1}]])
        equal(await client.call("message-with-ack", name, namespace=name), [name])


async def a_namespace_refuses_with_data(bench):
    client = bench.client()
    await refused(client, bench.url, "/forbidden")
    equal(await client.heard("connect_error", "/forbidden"), [[{"message": "not authorized", "data": {"reason": "forbidden"}}]])


async def an_unknown_namespace_is_refused(bench):
    client = bench.client()
    await refused(client, bench.url, "/dynamic-x")
    equal(await client.heard("connect_error", "/dynamic-x"), [[{"message": "Invalid namespace"}]])


async def a_broadcast_stays_in_its_namespace(bench):
    one, two = await bench.open("/", "/custom"), await bench.open("/", "/custom")
    event = bench.fresh()
    await one.call("broadcast", event, 1, namespace="/custom")
    equal(await two.heard(event, "/custom"), [[1]])
    await two.call("message-with-ack")
    equal(two.seen(event), [])


# --- rooms


async def a_broadcast_reaches_the_others(bench):
    sender, one, two = await bench.open(), await bench.open(), await bench.open()
    event = bench.fresh()
    await sender.call("broadcast", event, 1, {"a": "b"})
    for client in (one, two):
        equal(await client.heard(event), [[1, {"a": "b"}]])
    await sender.call("message-with-ack")
    equal(sender.seen(event), [])


async def an_event_for_all_reaches_all(bench):
    clients = [await bench.open(), await bench.open()]
    event = bench.fresh()
    await clients[0].emit("all", event, {"n": 1})
    for client in clients:
        equal(await client.heard(event), [[{"n": 1}]])


async def a_room_holds_who_joined_it(bench):
    member, sender, outsider = await bench.open(), await bench.open(), await bench.open()
    room, event = bench.fresh(), bench.fresh()
    equal(await member.call("join", room), [[room]])
    await sender.call("to", room, event, "in")
    equal(await member.heard(event), [["in"]])
    equal(await sender.call("count", room), [1])
    equal(await member.call("leave", room), [[]])
    await sender.call("to", room, event, "gone")
    for client in (member, sender, outsider):
        await client.call("message-with-ack")
    equal([client.seen(event) for client in (member, sender, outsider)], [[["in"]], [], []])


async def to_leaves_the_sender_out_and_in_does_not(bench):
    one, two = await bench.open(), await bench.open()
    room, event = bench.fresh(), bench.fresh()
    for client in (one, two):
        await client.call("join", room)
    await one.call("to", room, event, "to")
    await one.call("in", room, event, "in")
    equal(sorted(await two.heard(event, count=2)), [["in"], ["to"]])
    equal(await one.heard(event), [["in"]])


async def except_leaves_a_room_out(bench):
    sender, member, other = await bench.open(), await bench.open(), await bench.open()
    room, event = bench.fresh(), bench.fresh()
    await member.call("join", room)
    await sender.call("except", room, event, 1)
    for client in (sender, other):
        equal(await client.heard(event), [[1]])
    await member.call("message-with-ack")
    equal(member.seen(event), [])


# --- ends


async def is_disconnected(bench):
    client = await bench.open()
    await client.emit("disconnect-me")
    equal(await client.heard("disconnect"), [[client.sio.reason.SERVER_DISCONNECT]])


async def is_disconnected_from_one_namespace_only(bench):
    client = await bench.open("/", "/custom")
    await client.emit("disconnect-me", False)
    await client.heard("disconnect")
    equal(await client.call("message-with-ack", 1, namespace="/custom"), [1])


async def is_disconnected_from_all_when_the_connection_closes(bench):
    client = await bench.open("/", "/custom")
    await client.emit("disconnect-me", True, namespace="/custom")
    for namespace in ("/", "/custom"):
        await client.heard("disconnect", namespace)


@in_order
async def hears_the_last_words(bench):
    client = await bench.open()
    await client.emit("last-words", 20, "word", False)
    await client.heard("disconnect")
    equal(client.seen("word"), [[i] for i in range(20)])


async def disconnects_and_the_server_notices(bench):
    leaver, watcher = await bench.open(), await bench.open()
    room = bench.fresh()
    await leaver.call("join", room)
    await leaver.disconnect()
    equal(await leaver.heard("disconnect"), [[leaver.sio.reason.CLIENT_DISCONNECT]])
    await until("the server to notice", lambda: is_empty(watcher, room))


async def connects_again_after_it_left(bench):
    client = await bench.open()
    before = client.id()
    await client.disconnect()
    await client.connect(("/",), bench.url)
    assert client.id() not in (None, before)
    equal(await client.call("message-with-ack", 1), [1])


# --- lost connections


async def connects_again_when_the_connection_is_lost(bench):
    network = await bench.network()
    client = bench.client(**AGAIN)
    await client.connect(("/", "/custom"), network.url)
    before = client.id()
    network.hold()
    await client.heard("disconnect")
    network.release()
    for namespace in ("/", "/custom"):
        await client.heard("connect", namespace, count=2)
        equal(await client.call("message-with-ack", 1, namespace=namespace), [1])
    assert client.id() not in (None, before)


async def the_server_notices_a_lost_connection(bench):
    network = await bench.network()
    lost, watcher = await bench.open(url=network.url), await bench.open()
    room = bench.fresh()
    await lost.call("join", room)
    network.hold()
    await until("the server to notice", lambda: is_empty(watcher, room))


async def both_sides_notice_a_network_that_swallows_everything(bench):
    network = await bench.network()
    lost, watcher = await bench.open(url=network.url), await bench.open()
    room = bench.fresh()
    await lost.call("join", room)
    network.freeze()
    await until("the server to notice", lambda: is_empty(watcher, room))
    await lost.heard("disconnect")


@needs_server
async def connects_again_to_a_server_that_was_started_again(bench):
    port = port_of_its_own()
    process, url = await bench.start(port)
    client = bench.client(**AGAIN)
    await client.connect(("/",), url)
    process.kill()
    await client.heard("disconnect")
    await bounded("the server to end", process.wait())  # it may hold its port for a while after its connections ended
    await bench.start(port)
    await client.heard("connect", count=2)
    equal(await client.call("message-with-ack", 1), [1])


@needs_server
async def a_server_that_stops_says_so(bench):
    process, url = await bench.start(0)
    client = await bench.open(url=url)
    process.send_signal(signal.SIGTERM)
    await client.heard("disconnect")
    equal(await bounded("the server to end", process.wait()), 0)
