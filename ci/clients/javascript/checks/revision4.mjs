// What the revisions 3 and 4 of the protocol do in their own way, and text and bytes in the framings of Engine.IO 3.

import { strict as assert } from "node:assert";
import { FIVE_PINGS, acknowledged, collect, connected, heard, pause } from "../bench.mjs";

const bytes = (...values) => Buffer.from(values);

const WORDS = ["é", "ß", "Ω", "ж", "\u0800", "日本語", "\uffff", "𝄞", "🙂🙃", "e\u0301", "\u0080\u07ff", "a é 𝄞 z"];

export const revision4 = {
  async "the request says how the client is connected"({ open, lane }) {
    const [{ query }] = await acknowledged(await open(), "handshake");
    const { b64, j } = query;
    assert.equal(query.EIO, "3");
    assert.equal(query.transport, lane.options.transports[0]);
    assert.equal(b64, lane.query.b64);
    assert.match(`${j}`, lane.query.j ?? /^undefined$/);
  },

  async "query and headers reach the server"({ open, lane }) {
    const headers = lane.options.forceJSONP ? {} : { "x-mine": "yes" };
    const socket = await open({ query: { token: "a b&c" }, extraHeaders: headers });
    const [seen] = await acknowledged(socket, "handshake");
    assert.equal(seen.query.token, "a b&c");
    assert.equal(seen.headers["x-mine"], headers["x-mine"]);
    assert.deepEqual(seen.auth, {});
  },

  async "the socket's id is the session's"({ open }) {
    const [one, two] = [await open(), await open()];
    assert.equal(one.id, one.io.engine.id);
    assert.notEqual(one.id, two.id);
  },

  async "is connected before it hears anything"({ dial, join }) {
    const root = dial();
    const custom = join(root, "/custom");
    const before = (socket) => heard(socket, "auth").then(() => socket.connected);
    assert.deepEqual(await Promise.all([before(root), before(custom)]), [true, true]);
  },

  async "hears no greeting twice"({ open, join }) {
    const root = await open();
    const custom = join(root, "/custom");
    const greetings = [collect(root, "auth"), collect(custom, "auth")];
    await connected(custom);
    await Promise.all([root, custom].map((socket) => acknowledged(socket, "message-with-ack")));
    assert.deepEqual(
      greetings.map(({ length }) => length <= 1),
      [true, true],
    );
  },

  async "joins a namespace"({ dial }) {
    const custom = dial({ namespace: "/custom" });
    assert.deepEqual(await heard(custom, "auth"), [{}]);
    const back = heard(custom, "message-back");
    custom.emit("message", "there");
    assert.deepEqual(await back, ["there"]);
    assert.deepEqual(await acknowledged(custom, "message-with-ack", bytes(7)), [bytes(7)]);
  },

  async "joins a namespace with a query"({ dial }) {
    const custom = dial({ namespace: "/custom?token=abc&word=a%20%26&empty=" });
    assert.deepEqual(await heard(custom, "auth"), [{ token: "abc", word: "a &", empty: "" }]);
    assert.deepEqual(await acknowledged(custom, "message-with-ack", 1), [1]);
  },

  async "a namespace's query may hold every plane"({ dial }) {
    const custom = dial({ namespace: "/custom?word=%C3%A9%F0%9D%84%9E" });
    assert.deepEqual(await heard(custom, "auth"), [{ word: "é𝄞" }]);
  },

  async "joins several over one connection, each with its own query"({ open, join }) {
    const root = await open();
    const custom = join(root, "/custom", { query: "in=custom&only=here" });
    const dynamic = join(root, "/dynamic-7", { query: "in=dynamic" });
    await Promise.all([connected(custom), connected(dynamic)]);
    const answers = await Promise.all([root, custom, dynamic].map((socket) => acknowledged(socket, "handshake")));
    assert.deepEqual(
      answers.map(([{ auth }]) => auth),
      [{}, { in: "custom", only: "here" }, { in: "dynamic" }],
    );
    assert.ok(answers.every(([{ query }]) => !("in" in query)));
  },

  async "a namespace refuses with a string"({ dial }) {
    assert.deepEqual(await heard(dial({ namespace: "/forbidden" }), "error"), ["not authorized"]);
  },

  async "a refused namespace with a query is refused by its name"({ dial }) {
    assert.deepEqual(await heard(dial({ namespace: "/forbidden?token=abc" }), "error"), ["not authorized"]);
    assert.deepEqual(await heard(dial({ namespace: "/nobody?token=abc" }), "error"), ["Invalid namespace"]);
  },

  async "leaves the main namespace, and the others go on"({ open, join }) {
    const root = await open();
    const custom = join(root, "/custom");
    await connected(custom);
    const seen = collect(root, "message-back");
    root.disconnect();
    assert.deepEqual(await acknowledged(custom, "message-with-ack", 1), [1]);
    assert.deepEqual(seen, []);
  },

  async "no session is opened where there is none"({ dial }) {
    await heard(dial({ path: "/nowhere" }), "connect_error");
  },

  async "its pings are answered"({ open }) {
    const socket = await open();
    const answers = collect(socket.io, "pong");
    await pause(FIVE_PINGS);
    assert.ok(answers.length >= 3 && answers.length <= 5, `${answers.length} pongs`);
  },

  async "sends an ArrayBuffer, and no bytes at all"({ open }) {
    const socket = await open();
    const { buffer } = Uint8Array.of(1, 2, 255);
    assert.deepEqual(await acknowledged(socket, "message-with-ack", buffer, bytes()), [bytes(1, 2, 255), bytes()]);
  },

  async "bytes of every value and many lengths come back"({ open }) {
    const socket = await open();
    const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    for (const length of [1, 2, 8, 9, 10, 98, 99, 100, 256]) {
      const part = all.subarray(256 - length);
      assert.deepEqual(await acknowledged(socket, "message-with-ack", part), [part]);
    }
  },

  async "the server's bytes reach every namespace"({ open, join }) {
    const root = await open();
    const custom = join(root, "/custom");
    await connected(custom);
    const parts = [heard(root, "binary"), heard(custom, "binary")];
    await Promise.all([acknowledged(root, "binary", 2), acknowledged(custom, "binary", 3)]);
    const lengths = (await Promise.all(parts)).map((args) => args.map(({ data }) => data));
    const data = (n) => Array.from({ length: n }, (_, k) => bytes(1, 2, 3, k));
    assert.deepEqual(lengths, [data(2), data(3)]);
  },

  async "text of every plane comes back"({ open }) {
    const socket = await open();
    for (const word of WORDS) assert.deepEqual(await acknowledged(socket, "message-with-ack", word), [word]);
  },

  async "texts of every plane come back in one payload"({ open }) {
    const socket = await open();
    const answers = await Promise.all(WORDS.map((word) => acknowledged(socket, "message-with-ack", word, [word])));
    assert.deepEqual(
      answers,
      WORDS.map((word) => [word, [word]]),
    );
  },

  async "text and bytes of one payload stay what they are"({ open }) {
    const socket = await open();
    const values = WORDS.flatMap((word, i) => [word, bytes(i, 0xff)]);
    const answers = await Promise.all(values.map((value) => acknowledged(socket, "message-with-ack", value, "é")));
    assert.deepEqual(
      answers,
      values.map((value) => [value, "é"]),
    );
  },

  async "a name and its bytes come in one event"({ open }) {
    const socket = await open();
    const value = { "clé 𝄞": bytes(1), autre: ["ñ", bytes(2, 3), { "🙂": bytes(4) }] };
    const back = heard(socket, "message-back");
    socket.emit("message", value, "日本");
    assert.deepEqual(await back, [value, "日本"]);
  },

  async "another client gets what was sent"({ open, fresh }) {
    const [sender, other] = [await open(), await open()];
    const [room, event] = [fresh(), fresh()];
    await acknowledged(other, "join", room);
    const seen = collect(other, event);
    for (const word of WORDS) await acknowledged(sender, "to", room, event, word, bytes(1));
    await acknowledged(other, "message-with-ack");
    assert.deepEqual(
      seen,
      WORDS.map((word) => [word, bytes(1)]),
    );
  },

  async "events and rooms have names of every plane"({ open, fresh }) {
    const [sender, other] = [await open(), await open()];
    const [room, event] = [`${fresh()} é𝄞`, `${fresh()} 日本🙂`];
    assert.deepEqual(await acknowledged(other, "join", room), [[room]]);
    const seen = collect(other, event);
    await acknowledged(sender, "to", room, event, 1);
    await acknowledged(other, "message-with-ack");
    assert.deepEqual(seen, [[1]]);
  },

  async "line breaks, quotes and backslashes come back"({ open }) {
    const socket = await open();
    const breaks = ["\n", "\r\n", "\\n", "\\\n", "\\\\n", "\\\\\\n", "\u2028\u2029"];
    const texts = [...breaks, '"', '\\"', "\t\b\f", "</script>", "'+%&=;"];
    for (const text of texts) assert.deepEqual(await acknowledged(socket, "message-with-ack", text), [text]);
    assert.deepEqual(await acknowledged(socket, "message-with-ack", ...texts), texts);
  },

  async "what looks like a framing is text"({ open }) {
    const socket = await open();
    const texts = ["2:40", "4:41", "b4AQID", "\u0000\u0001\u0002", "6:42[1]2:40", ":", "451-[]", "\u001e"];
    const answers = await Promise.all(texts.map((text) => acknowledged(socket, "message-with-ack", text)));
    assert.deepEqual(
      answers,
      texts.map((text) => [text]),
    );
  },

  async "texts of every number of digits come back"({ open }) {
    const socket = await open();
    for (const length of [1, 50, 60, 70, 80, 90, 900, 1000, 9_950, 10_000, 12_345]) {
      const text = "é" + "𝄞".repeat(length / 2);
      const [back] = await acknowledged(socket, "message-with-ack", text);
      assert.ok(back === text, `${back?.length} code units came back of ${text.length}`);
    }
  },
};
