// Connections, handshake data, and events.

import { strict as assert } from "node:assert";
import { FIVE_PINGS, acknowledged, collect, heard, pause, until } from "../bench.mjs";

export const basics = {
  async "connects over the transport asked for"({ open, lane }) {
    const socket = await open();
    assert.equal(socket.io.engine.transport.name, lane.carrier);
    assert.ok(!socket.recovered);
  },

  async "receives an event with nothing authenticated"({ dial }) {
    assert.deepEqual(await heard(dial(), "auth"), [{}]);
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
    const text = "é𝄞 ".repeat(25_000);
    const [back] = await acknowledged(socket, "message-with-ack", text);
    assert.ok(back === text, `${back.length} code units came back of ${text.length}`);
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

export const limits = {
  async "a message over the limit ends the connection"({ open, lane }) {
    const socket = await open();
    const ended = heard(socket, "disconnect");
    socket.emit("message", "x".repeat(1_100_000));
    const [reason] = await ended;
    // A client that polls hears of it by the answer to what it sent, or by its poll.
    assert.match(reason, lane.carrier === "polling" ? /^transport (error|close)$/ : /^transport close$/);
  },
};
