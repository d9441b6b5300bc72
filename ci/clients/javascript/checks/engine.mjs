// The engine alone, on the path where every message comes back.

import { strict as assert } from "node:assert";
import { FIVE_PINGS, bounded, collect, pause } from "../bench.mjs";

export const engine = {
  async "engine: text comes back as text"(bench) {
    await echoes(bench, ["a", "é 𝄞 \u2028\n", "4", "2probe", "x".repeat(1000)]);
  },

  async "engine: bytes come back as bytes"(bench) {
    await echoes(bench, [Buffer.from([0, 1, 254, 255]), Buffer.from([4]), Buffer.alloc(1000, 7)]);
  },

  async "engine: texts and bytes stay in order"(bench) {
    await echoes(
      bench,
      Array.from({ length: 60 }, (_, i) => (i % 3 ? `é ${i}` : Buffer.from([i, 255]))),
    );
  },

  async "engine: large messages come back"(bench) {
    await echoes(bench, ["é𝄞 ".repeat(25_000), Buffer.alloc(300_000, 200)]);
  },

  async "engine: nothing comes unasked, and pings keep it open"(bench) {
    const socket = await opened(bench);
    const [messages, closes, pongs] = ["message", "close", "pong"].map((event) => collect(socket, event));
    await pause(FIVE_PINGS);
    assert.deepEqual([messages, closes], [[], []]);
    assert.ok(pongs.length >= 3 && pongs.length <= 5, `${pongs.length} pongs`);
    socket.close();
  },

  async "engine: what was sent before closing is sent"(bench) {
    const socket = await opened(bench);
    const closed = bounded("the end", (done) => socket.once("close", done));
    socket.send("last");
    socket.close();
    assert.equal(await closed, "forced close");
  },
};

/** An engine that is open, and upgraded where the lane is. */
async function opened({ url, lane }) {
  const socket = lane.engine(url, { ...lane.options, path: "/engine.io" });
  await bounded("the session", (done, fail) => socket.once("open", done).once("error", fail));
  if (socket.transport.name !== lane.carrier) await bounded("the upgrade", (done) => socket.once("upgrade", () => done()));
  return socket;
}

async function echoes(bench, messages) {
  const socket = await opened(bench);
  const seen = [];
  await bounded("all messages", (done, fail) => {
    socket.once("close", fail);
    socket.on("message", (message) => {
      seen.push(message);
      if (seen.length === messages.length) done();
    });
    for (const message of messages) socket.send(message);
  });
  socket.close();
  assert.deepEqual(seen, messages);
}
