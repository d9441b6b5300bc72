// A network that goes away, in front of a server that stays.

import { strict as assert } from "node:assert";
import { acknowledged, collect, connected, heard, until } from "../bench.mjs";

const AGAIN = { reconnection: true, reconnectionDelay: 10, randomizationFactor: 0 };

export const reconnection = {
  async "connects again when the connection is lost"({ open, proxy, settled }) {
    const network = await proxy();
    const socket = await open({ url: network.url, ...AGAIN });
    const before = socket.id;
    const [ended, again] = [heard(socket, "disconnect"), heard(socket.io, "reconnect")];
    network.hold();
    assert.match((await ended)[0], /^transport (close|error)$/);
    network.release();
    await again;
    await connected(socket);
    assert.notEqual(socket.id, before);
    assert.ok(!socket.recovered);
    await settled(socket);
    assert.deepEqual(await acknowledged(socket, "message-with-ack", 1), [1]);
  },

  async "what is emitted meanwhile is sent then, with every namespace joined again"({ open, proxy, join }) {
    const network = await proxy();
    const root = await open({ url: network.url, ...AGAIN });
    const custom = join(root, "/custom");
    await connected(custom);
    const ended = [heard(root, "disconnect"), heard(custom, "disconnect")];
    network.hold();
    await Promise.all(ended);
    const answers = [1, 2, 3].map((n) => acknowledged(root, "message-with-ack", n));
    answers.push(acknowledged(custom, "message-with-ack", 4));
    network.release();
    assert.deepEqual(await Promise.all(answers), [[1], [2], [3], [4]]);
  },

  async "the server notices a lost connection"({ open, proxy, fresh }) {
    const network = await proxy();
    const [lost, watcher] = [await open({ url: network.url }), await open()];
    const room = fresh();
    await acknowledged(lost, "join", room);
    network.hold();
    await until("the server to notice", async () => (await acknowledged(watcher, "count", room))[0] === 0);
  },

  async "both sides notice a network that swallows everything"({ open, proxy, fresh }) {
    const network = await proxy();
    const [lost, watcher] = [await open({ url: network.url }), await open()];
    const room = fresh();
    await acknowledged(lost, "join", room);
    const ended = heard(lost, "disconnect");
    network.freeze();
    assert.equal((await ended)[0], "ping timeout");
    await until("the server to notice", async () => (await acknowledged(watcher, "count", room))[0] === 0);
  },

  async "rooms are left behind"({ open, proxy, fresh }) {
    const network = await proxy();
    const [socket, sender] = [await open({ url: network.url, ...AGAIN }), await open()];
    const [room, event] = [fresh(), fresh()];
    await acknowledged(socket, "join", room);
    const seen = collect(socket, event);
    const ended = heard(socket, "disconnect");
    network.hold();
    await ended;
    network.release();
    await connected(socket);
    await acknowledged(sender, "to", room, event);
    await acknowledged(socket, "message-with-ack");
    assert.deepEqual(seen, []);
  },
};
