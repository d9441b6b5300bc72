// The change from polling to WebSocket, on which nothing may be lost, doubled or reordered.

import { strict as assert } from "node:assert";
import { acknowledged, bounded, connected, upgraded } from "../bench.mjs";

const ROUNDS = 10;
const IN_FLIGHT = 16;
export const TO_WEBSOCKET = /^GET [^\r]*transport=websocket/;

export const upgrades = {
  async "what is under way while it upgrades arrives once and in order"({ dial, proxy }) {
    const network = await proxy({ slow: TO_WEBSOCKET });
    for (let round = 0; round < ROUNDS; round++) {
      const socket = dial({ url: network.url });
      await connected(socket);
      const over = new Set();
      await echoes(socket, ({ value, expected }) => {
        assert.equal(value, expected);
        over.add(socket.io.engine.transport.name);
      });
      assert.deepEqual([...over], ["polling", "websocket"]);
      socket.disconnect();
    }
  },

  async "broadcasts keep coming while it upgrades"({ open, dial, proxy, fresh }) {
    const sender = await open();
    const network = await proxy({ slow: TO_WEBSOCKET });
    for (let round = 0; round < ROUNDS; round++) {
      const [room, event] = [fresh(), fresh()];
      const socket = dial({ url: network.url });
      const seen = [];
      socket.on(event, (n, data) => seen.push([n, data[0]]));
      await acknowledged(socket, "join", room);
      let sent = 0;
      let done = false;
      const upgrade = upgraded(socket).finally(() => (done = true));
      while (!done) {
        await acknowledged(sender, "to", room, event, sent, Buffer.from([sent % 256]));
        sent += 1;
      }
      await upgrade;
      await acknowledged(sender, "to", room, event, sent, Buffer.from([sent % 256]));
      await acknowledged(socket, "message-with-ack");
      assert.deepEqual(
        seen,
        Array.from({ length: sent + 1 }, (_, i) => [i, i % 256]),
      );
      socket.disconnect();
    }
  },

  async "a burst is received in order while it upgrades"({ dial, proxy }) {
    const network = await proxy({ slow: TO_WEBSOCKET });
    for (let round = 0; round < ROUNDS; round++) {
      const socket = dial(round % 2 ? {} : { url: network.url });
      const seen = [];
      socket.on("item", (n) => seen.push(n));
      await Promise.all([acknowledged(socket, "burst", 2000, "item", "x".repeat(100)), connectedAndUpgraded(socket)]);
      assert.deepEqual(
        seen,
        Array.from({ length: 2000 }, (_, i) => i),
      );
      socket.disconnect();
    }
  },

  async "polling goes on where WebSocket does not get through"({ dial, proxy }) {
    const network = await proxy({ refuse: TO_WEBSOCKET });
    const socket = dial({ url: network.url });
    const failed = bounded("the upgrade to fail", (done) => socket.io.engine.once("upgradeError", () => done()));
    await connected(socket);
    await failed;
    assert.deepEqual(await acknowledged(socket, "message-with-ack", Buffer.from([1])), [Buffer.from([1])]);
    assert.equal(socket.io.engine.transport.name, "polling");
  },
};

/** The upgrade of a socket that has no engine yet. */
async function connectedAndUpgraded(socket) {
  await connected(socket);
  await upgraded(socket);
}

/** Sends numbers, always some ahead of what came back, until some have come back after the upgrade. */
function echoes(socket, check) {
  let next = 0;
  let expected = 0;
  let last;
  const send = () => socket.emit("message", next++);
  return bounded("all numbers", (done, fail) => {
    socket.on("message-back", (value) => {
      try {
        check({ value, expected: expected++ });
      } catch (error) {
        return fail(error);
      }
      if (last === undefined && socket.io.engine.transport.name === "websocket") last = next + 100;
      if (last === undefined || next < last) send();
      if (expected === last) done();
    });
    for (let i = 0; i < IN_FLIGHT; i++) send();
  });
}
