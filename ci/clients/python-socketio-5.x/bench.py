"""What every check gets: clients of one kind over one transport, whose every wait has a bound, and what breaks things."""

import asyncio
import functools
import inspect
import json
import secrets
import socket

import socketio

from network import Network

PATIENCE = 10  # s that anything awaited may take; these clients notice a dead connection after more than five

KINDS = {"asyncio": socketio.AsyncClient, "threads": socketio.Client}
TRANSPORTS = {"polling": ["polling"], "websocket": ["websocket"], "upgraded": ["polling", "websocket"]}


class Bench:
    def __init__(self, url, server, kind, transport):
        self.url, self.server, self.kind, self.transport = url, server, kind, transport
        self.clients, self.networks, self.processes = [], [], []

    async def open(self, *namespaces, **options):
        """A client that is in these namespaces, by default in `/`."""
        client = self.client()
        await client.connect(namespaces or ("/",), **{"url": self.url, **options})
        return client

    def client(self, **options):
        client = Client(self.kind, self.transport, **options)
        self.clients.append(client)
        return client

    async def network(self, url=None):
        """A network before the server that can be cut and frozen."""
        network = await Network.start(url or self.url)
        self.networks.append(network)
        return network

    async def start(self, port, *options):
        """A server of one's own: its process and its URL."""
        always = ["--contract", "--ping-timeout", "1", "--flash-policy-port", "off", "--port", str(port)]
        process = await asyncio.create_subprocess_exec(
            self.server, *always, *options, stdout=asyncio.subprocess.PIPE
        )
        self.processes.append(process)
        line = await bounded("the server to get ready", process.stdout.readline())
        assert line, f"the server ended with {await process.wait()}"
        return process, json.loads(line)["listening"]

    def fresh(self):
        """A name that no other check uses."""
        return f"{self.kind}-{self.transport}-{secrets.token_hex(6)}"

    async def tidy(self):
        for client in self.clients:
            await client.shutdown()
        for network in self.networks:
            network.close()
        for process in self.processes:
            if process.returncode is None:
                process.kill()
            await process.wait()


class Client:
    """A client of either kind. Those for threads run in threads, and say what they heard to the event loop."""

    def __init__(self, kind, transport, **options):
        self.threads = kind == "threads"
        self.transport = transport
        self.sio = KINDS[kind](**{"reconnection": False, "handle_sigint": False, **options})
        self.heard_of = {}  # (namespace, event) -> the arguments of each
        self.news = asyncio.Event()
        self.answers = {}  # (namespace, event) -> what acknowledges it
        self.loop = asyncio.get_running_loop()

    async def connect(self, namespaces, url, auth=None, headers=None):
        for namespace in namespaces:
            self._listen(namespace)
        await self._run(
            self.sio.connect, url, headers or {}, auth, TRANSPORTS[self.transport], list(namespaces), wait_timeout=PATIENCE
        )

    def id(self, namespace="/"):
        return self.sio.get_sid(namespace)

    @property
    def carrier(self):
        return self.sio.transport()

    async def emit(self, event, *args, namespace="/"):
        await self._run(self.sio.emit, event, args, namespace)

    async def call(self, event, *args, namespace="/", timeout=PATIENCE):
        """The arguments of the acknowledgement."""
        answer = self.loop.create_future()

        def settle(args):
            if not answer.done():
                answer.set_result(list(args))

        def acknowledged(*args):
            self.loop.call_soon_threadsafe(settle, args)

        await self._run(self.sio.emit, event, args, namespace, acknowledged)
        return await bounded(f"the acknowledgement of {event!r}", answer, timeout)

    async def call_one(self, event, *args, namespace="/", timeout=PATIENCE):
        """The same by the client's own `call`, which gives the first argument alone."""
        return await self._run(self.sio.call, event, args, namespace, timeout)

    def answer(self, event, answer, namespace="/"):
        self.answers[namespace, event] = answer

    def seen(self, event, namespace="/"):
        """The arguments of each such event until now."""
        return self.heard_of.setdefault((namespace, event), [])

    async def heard(self, event, namespace="/", count=1):
        """Waits for that many such events, and gives the arguments of each."""
        seen = self.seen(event, namespace)

        async def enough():
            while len(seen) < count:
                self.news.clear()
                await self.news.wait()
            return list(seen)

        return await bounded(f"{count} × the event {event!r}", enough())

    async def disconnect(self):
        await self._run(self.sio.disconnect)

    async def shutdown(self):
        await bounded("the client to stop", self._run(self.sio.shutdown))

    def _listen(self, namespace):
        def heard(event, args):
            self.seen(event, namespace).append(list(args))
            self.news.set()

        def any_event(event, *args):
            self.loop.call_soon_threadsafe(heard, event, args)
            return self.answers.get((namespace, event), nothing)(*args)

        async def awaited(event, *args):
            answer = any_event(event, *args)
            return await answer if inspect.isawaitable(answer) else answer

        handler = any_event if self.threads else awaited
        self.sio.on("*", handler, namespace=namespace)
        for event in ("connect", "disconnect", "connect_error"):
            self.sio.on(event, functools.partial(handler, event), namespace=namespace)

    async def _run(self, function, *args, **options):
        if self.threads:
            return await asyncio.to_thread(function, *args, **options)
        return await function(*args, **options)


def port_of_its_own():
    """A port that stays free while its server is down: below those that systems hand out, so nobody is given it."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def nothing(*args):
    return None


async def bounded(what, awaitable, limit=PATIENCE):
    try:
        return await asyncio.wait_for(awaitable, limit)
    except asyncio.TimeoutError:
        raise TimeoutError(f"{what} did not come within {limit} s") from None


async def until(what, ask):
    """Asks again and again until it is so."""

    async def asking():
        while not await ask():
            pass

    await bounded(what, asking())


def equal(actual, expected):
    assert actual == expected, f"expected {expected!r}\ngot      {actual!r}"


async def is_empty(watcher, room):
    return await watcher.call("count", room) == [0]


async def refused(client, url, namespace):
    """The client does not get into the namespace."""
    try:
        await client.connect((namespace,), url)
    except socketio.exceptions.ConnectionError:
        return
    raise AssertionError(f"{namespace} let the client in")
