// What older releases of the client cannot do.

import { strict as assert } from "node:assert";
import { acknowledged, bounded, collect, connected, heard } from "../../javascript/bench.mjs";
import { TO_WEBSOCKET } from "../../javascript/checks/upgrades.mjs";

const NOBODY = "an event that the contract does not know";

export const release = {
  async "awaits an acknowledgement"({ open }) {
    const socket = await open();
    const answer = socket.timeout(5000).emitWithAck("message-with-ack", "a");
    assert.equal(await answer, "a");
  },

  async "an acknowledgement that comes in time is no timeout"({ open }) {
    const socket = await open();
    const answer = await bounded("the acknowledgement", (done) =>
      socket.timeout(4000).emit("message-with-ack", "a", (...answer) => done(answer)),
    );
    assert.deepEqual(answer, [null, "a"]);
  },

  async "an acknowledgement that does not come times out"({ open }) {
    const socket = await open();
    const error = await bounded("the timeout", (done) => socket.timeout(50).emit(NOBODY, (error) => done(error)));
    assert.equal(error?.message, "operation has timed out");
    await assert.rejects(socket.timeout(50).emitWithAck(NOBODY), /timed out/);
  },

  async "sends one after the other, each until it is acknowledged"({ open }) {
    const socket = await open({ retries: 2, ackTimeout: 4000 });
    const answers = await Promise.all(
      [1, 2, 3].map((n) =>
        bounded("the acknowledgement", (done) => socket.emit("message-with-ack", n, (...all) => done(all))),
      ),
    );
    assert.deepEqual(answers, [
      [null, 1],
      [null, 2],
      [null, 3],
    ]);
  },

  async "gives up what is not acknowledged after its retries"({ open }) {
    const socket = await open({ retries: 1, ackTimeout: 50 });
    const error = await bounded("the error", (done) => socket.emit(NOBODY, (error) => done(error)));
    assert.equal(error?.message, "operation has timed out");
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

  async "sends every kind of bytes"({ open }) {
    const socket = await open();
    const view = new Uint16Array([1, 2]);
    assert.deepEqual(await acknowledged(socket, "message-with-ack", view, view.buffer, new Uint8Array()), [
      Buffer.from(view.buffer),
      Buffer.from(view.buffer),
      Buffer.of(),
    ]);
  },
};

export const releaseUpgrades = {
  async "polling is tried where WebSocket does not get through"({ dial, proxy }) {
    const network = await proxy({ refuse: TO_WEBSOCKET });
    const socket = dial({ url: network.url, transports: ["websocket", "polling"], tryAllTransports: true });
    await heard(socket, "connect");
    assert.equal(socket.io.engine.transport.name, "polling");
  },
};
