// A server of their own that remembers sockets.

import { strict as assert } from "node:assert";
import { acknowledged, collect, connected, heard, pause, until } from "../../javascript/bench.mjs";

const AGAIN = { reconnection: true, reconnectionDelay: 50, randomizationFactor: 0 };

/** s for which the server remembers a socket. */
const REMEMBERED = 1;

export const recovery = {
  async "comes back as the same socket, with what it missed"(bench) {
    await remembering(bench, async ({ socket, sender, network, fresh }) => {
      const [room, elsewhere, event] = [fresh(), fresh(), fresh()];
      await acknowledged(socket, "join", room);
      const before = socket.id;
      const seen = collect(socket, event);
      await acknowledged(sender, "to", room, event, 0);
      await acknowledged(socket, "message-with-ack");
      await lose(socket, network, sender, room);
      for (let i = 1; i <= 5; i++)
        await acknowledged(sender, i % 2 ? "to" : "except", i % 2 ? room : elsewhere, event, i);
      await acknowledged(sender, "to", elsewhere, event, "not mine");
      await acknowledged(sender, "all", event, Buffer.from([6]));
      network.release();
      await connected(socket);
      assert.equal(socket.recovered, true);
      assert.equal(socket.id, before);
      await acknowledged(sender, "to", room, event, 7);
      await acknowledged(socket, "message-with-ack");
      const values = seen.map(([value]) => value);
      assert.deepEqual(values, [0, 1, 2, 3, 4, 5, Buffer.from([6]), 7]);
    });
  },

  async "a second recovery brings only what is new"(bench) {
    await remembering(bench, async ({ socket, sender, network, fresh }) => {
      const [room, event] = [fresh(), fresh()];
      await acknowledged(socket, "join", room);
      const seen = collect(socket, event);
      await acknowledged(sender, "all", event, 0);
      await acknowledged(socket, "message-with-ack");
      for (const i of [1, 2]) {
        await lose(socket, network, sender, room);
        await acknowledged(sender, "all", event, i);
        network.release();
        await connected(socket);
        assert.equal(socket.recovered, true);
        await acknowledged(socket, "message-with-ack");
      }
      assert.deepEqual(
        seen.map(([value]) => value),
        [0, 1, 2],
      );
    });
  },

  async "what is too long ago is not recovered"(bench) {
    await remembering(bench, async ({ socket, sender, network, fresh }) => {
      const [room, event] = [fresh(), fresh()];
      await acknowledged(socket, "join", room);
      const before = socket.id;
      const seen = collect(socket, event);
      await lose(socket, network, sender, room);
      await acknowledged(sender, "all", event);
      await pause(REMEMBERED * 1000 + 100);
      network.release();
      await connected(socket);
      assert.ok(!socket.recovered);
      assert.notEqual(socket.id, before);
      await acknowledged(socket, "message-with-ack");
      assert.deepEqual(seen, []);
    });
  },

  async "a socket that was told to leave is not recovered"(bench) {
    await remembering(bench, async ({ socket }) => {
      const before = socket.id;
      const ended = heard(socket, "disconnect");
      socket.emit("disconnect-me");
      await ended;
      socket.connect();
      await connected(socket);
      assert.ok(!socket.recovered);
      assert.notEqual(socket.id, before);
    });
  },
};

/** A socket behind a network that can be held, and another that is not, at a server that remembers. */
async function remembering(bench, use) {
  const server = await bench.servers.start(0, "--recovery", String(REMEMBERED));
  const network = await bench.proxy({ url: server.url });
  const socket = await bench.open({ url: network.url, ...AGAIN });
  const sender = await bench.open({ url: server.url });
  await heardOnce(socket, sender);
  await use({ socket, sender, network, fresh: bench.fresh });
}

/** Takes the connection away, and waits until both sides have noticed. */
async function lose(socket, network, watcher, room) {
  const ended = heard(socket, "disconnect");
  network.hold();
  await ended;
  await until("the server to notice", async () => (await acknowledged(watcher, "count", room))[0] === 0);
}

/** Every socket has an offset: it has seen an event. */
async function heardOnce(...sockets) {
  for (const socket of sockets) await acknowledged(socket, "message", "first");
}
