// Connections, handshake data, and events.

import { strict as assert } from "node:assert";
import { FIVE_PINGS, acknowledged, collect, connected, heard, pause, until } from "../bench.mjs";

export const basics = {
  async "connects over the transport asked for"({ open, lane }) {
    const socket = await open();
    assert.equal(socket.io.engine.transport.name, lane === "polling" ? "polling" : "websocket");
    assert.ok(!socket.recovered);
  },

  async "has an id that nobody else has, and that is not the session's"({ open }) {
    const [one, two] = [await open(), await open()];
    assert.equal(new Set([one.id, two.id, one.io.engine.id, two.io.engine.id]).size, 4);
  },

  async "receives an event with nothing authenticated"({ dial }) {
    assert.deepEqual(await heard(dial(), "auth"), [{}]);
  },

  async "authenticates with an object"({ dial }) {
    const auth = { token: "é𝄞", nested: [1, null] };
    assert.deepEqual(await heard(dial({ auth }), "auth"), [auth]);
  },

  async "authenticates with what a function says"({ dial }) {
    const auth = (say) => setTimeout(say, 1, { token: "later" });
    assert.deepEqual(await heard(dial({ auth }), "auth"), [{ token: "later" }]);
  },

  async "query, headers and auth reach the server"({ open }) {
    const socket = await open({ query: { token: "a b&c" }, extraHeaders: { "X-Mine": "yes" }, auth: { who: 1 } });
    const [seen] = await acknowledged(socket, "handshake");
    assert.equal(seen.query.token, "a b&c");
    assert.equal(seen.query.EIO, "4");
    assert.equal(seen.headers["x-mine"], "yes");
    assert.deepEqual(seen.auth, { who: 1 });
  },

  async "sends an event and receives one"({ open }) {
    const socket = await open();
    const args = ["text", 1.5, -0.25, null, true, "", { nested: [1, 'é 𝄞 \u2028\u001e\\"', {}] }, []];
    const back = heard(socket, "message-back");
    socket.emit("message", ...args);
    assert.deepEqual(await back, args);
  },

  async "sends and receives an event without arguments"({ open }) {
    const socket = await open();
    const back = heard(socket, "message-back");
    socket.emit("message");
    assert.deepEqual(await back, []);
  },

  async "send is the event message"({ open }) {
    const socket = await open();
    const back = heard(socket, "message-back");
    socket.send("a", 1);
    assert.deepEqual(await back, ["a", 1]);
  },

  async "what is emitted before the connection is sent after it, in order"({ dial }) {
    const socket = dial({ autoConnect: false });
    const seen = collect(socket, "message-back");
    for (let i = 0; i < 10; i++) socket.emit("message", i);
    socket.connect();
    await acknowledged(socket, "message-with-ack");
    assert.deepEqual(
      seen,
      Array.from({ length: 10 }, (_, i) => [i]),
    );
  },

  async "sends events in order"({ open }) {
    const socket = await open();
    const seen = collect(socket, "item");
    for (let i = 0; i < 200; i++) socket.emit("burst", 1, "item", i);
    await acknowledged(socket, "burst", 0, "item");
    assert.deepEqual(
      seen,
      Array.from({ length: 200 }, (_, i) => [0, i]),
    );
  },

  async "receives a burst in order"({ open }) {
    const socket = await open();
    const seen = collect(socket, "item");
    await acknowledged(socket, "burst", 500, "item", "x");
    assert.deepEqual(
      seen,
      Array.from({ length: 500 }, (_, i) => [i, "x"]),
    );
  },

  async "sends and receives a large message"({ open }) {
    const socket = await open();
    const text = "é𝄞 ".repeat(80_000);
    const [back] = await acknowledged(socket, "message-with-ack", text);
    assert.ok(back === text, `${back.length} code units came back of ${text.length}`);
  },

  // Over polling the client has to keep to `maxPayload` by splitting what it sends.
  async "sends more at once than one payload may hold"({ open }) {
    const socket = await open();
    const text = "x".repeat(100_000);
    const answers = await Promise.all(
      Array.from({ length: 25 }, (_, i) => acknowledged(socket, "message-with-ack", i, text)),
    );
    assert.deepEqual(
      answers.map(([i, back]) => [i, back === text]),
      answers.map((_, i) => [i, true]),
    );
  },

  async "a message over maxPayload ends the connection"({ open, lane }) {
    const socket = await open();
    const ended = heard(socket, "disconnect");
    socket.emit("message", "x".repeat(1_100_000));
    const [reason] = await ended;
    assert.equal(reason, lane === "polling" ? "transport error" : "transport close");
  },

  async "receives a volatile event"({ open }) {
    const socket = await open();
    const seen = collect(socket, "fleeting");
    await until("one that comes while a poll is open", async () => {
      await acknowledged(socket, "volatile", "fleeting", 1);
      return seen.length > 0;
    });
    assert.deepEqual(seen[0], [1]);
  },

  async "a volatile event is not kept until the connection is there"({ dial }) {
    const socket = dial({ autoConnect: false });
    const seen = collect(socket, "message-back");
    socket.volatile.emit("message", "lost");
    socket.emit("message", "kept");
    socket.connect();
    await connected(socket);
    await acknowledged(socket, "message-with-ack");
    assert.deepEqual(seen, [["kept"]]);
  },

  async "pings keep it open"({ open }) {
    const socket = await open();
    const ended = collect(socket, "disconnect");
    const pings = collect(socket.io, "ping");
    await pause(FIVE_PINGS);
    assert.deepEqual(ended, []);
    assert.ok(pings.length >= 3 && pings.length <= 5, `${pings.length} pings`);
    assert.deepEqual(await acknowledged(socket, "message-with-ack", "still here"), ["still here"]);
  },
};
