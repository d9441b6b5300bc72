// Attachments.

import { strict as assert } from "node:assert";
import { acknowledged, collect, heard, until } from "../bench.mjs";

const bytes = (...values) => Buffer.from(values);

export const binary = {
  async "sends and receives bytes"({ open }) {
    const socket = await open();
    const back = heard(socket, "message-back");
    socket.emit("message", bytes(0, 1, 0xfe, 0xff), "and text");
    assert.deepEqual(await back, [bytes(0, 1, 0xfe, 0xff), "and text"]);
  },

  async "sends and receives nested bytes"({ open }) {
    const socket = await open();
    const value = { a: [bytes(1), { b: bytes(2, 3) }], c: null, d: "text" };
    const back = heard(socket, "message-back");
    socket.emit("message", value, [bytes(4)]);
    assert.deepEqual(await back, [value, [bytes(4)]]);
  },

  async "receives the attachments in their places"({ open }) {
    const socket = await open();
    const parts = heard(socket, "binary");
    await acknowledged(socket, "binary", 10);
    assert.deepEqual(
      await parts,
      Array.from({ length: 10 }, (_, part) => ({ part, data: bytes(1, 2, 3, part) })),
    );
  },

  async "is acknowledged with bytes"({ open }) {
    const socket = await open();
    assert.deepEqual(await acknowledged(socket, "message-with-ack", { x: bytes(1, 2) }), [{ x: bytes(1, 2) }]);
  },

  async "acknowledges with bytes"({ open }) {
    const socket = await open();
    socket.on("question", (data, answer) => answer({ data }, Buffer.concat([data, data])));
    const answer = heard(socket, "answer");
    socket.emit("ask", bytes(7, 8));
    assert.deepEqual(await answer, [{ data: bytes(7, 8) }, bytes(7, 8, 7, 8)]);
  },

  async "a broadcast with bytes reaches the others"({ open, fresh }) {
    const [sender, other] = [await open(), await open()];
    const event = fresh();
    const heardIt = heard(other, event);
    sender.emit("broadcast", event, { data: bytes(5) });
    assert.deepEqual(await heardIt, [{ data: bytes(5) }]);
  },

  async "receives a volatile event with bytes"({ open }) {
    const socket = await open();
    const seen = collect(socket, "fleeting");
    await until("one that comes while a poll is open", async () => {
      await acknowledged(socket, "volatile", "fleeting", bytes(6));
      return seen.length > 0;
    });
    assert.deepEqual(seen[0], [bytes(6)]);
  },

  async "sends and receives large bytes"({ open }) {
    const socket = await open();
    const data = Buffer.alloc(
      500_000,
      Uint8Array.from({ length: 251 }, (_, i) => i),
    );
    const [back] = await acknowledged(socket, "message-with-ack", data);
    assert.ok(data.equals(back), `${back.length} bytes came back of ${data.length}`);
  },

  async "texts and bytes stay in order"({ open }) {
    const socket = await open();
    const answers = [];
    socket.on("message-back", (value) => answers.push(value));
    for (let i = 0; i < 40; i++) socket.emit("message", i % 2 ? bytes(i) : i);
    await acknowledged(socket, "message-with-ack");
    assert.deepEqual(
      answers,
      Array.from({ length: 40 }, (_, i) => (i % 2 ? bytes(i) : i)),
    );
  },
};
