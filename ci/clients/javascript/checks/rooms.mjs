// Rooms and broadcasts, with several clients.

import { strict as assert } from "node:assert";
import { acknowledged, collect, fenced, until } from "../bench.mjs";

export const rooms = {
  async "a broadcast reaches the others"({ open, fresh }) {
    const [sender, one, two] = [await open(), await open(), await open()];
    const event = fresh();
    const seen = [sender, one, two].map((socket) => collect(socket, event));
    await acknowledged(sender, "broadcast", event, 1, { a: "b" });
    await fenced(sender, one, two);
    assert.deepEqual(seen, [[], [[1, { a: "b" }]], [[1, { a: "b" }]]]);
  },

  async "an event for all reaches all"({ open, fresh }) {
    const sockets = [await open(), await open()];
    const event = fresh();
    const seen = sockets.map((socket) => collect(socket, event));
    await acknowledged(sockets[0], "all", event, { n: 1 });
    await fenced(...sockets);
    assert.deepEqual(seen, [[[{ n: 1 }]], [[{ n: 1 }]]]);
  },

  async "a volatile event for all reaches all"({ open, fresh }) {
    const sockets = [await open(), await open()];
    const event = fresh();
    const seen = sockets.map((socket) => collect(socket, event));
    await until("one that comes while all have a poll open", async () => {
      await acknowledged(sockets[0], "volatile-all", event, 1);
      await fenced(sockets[1]);
      return seen.every((events) => events.length > 0);
    });
    assert.deepEqual(
      seen.map(([first]) => first),
      [[1], [1]],
    );
  },

  async "a room holds who joined it"({ open, fresh }) {
    const [member, sender, outsider] = [await open(), await open(), await open()];
    const [room, other, event] = [fresh(), fresh(), fresh()];
    const seen = [member, sender, outsider].map((socket) => collect(socket, event));
    assert.deepEqual(await acknowledged(member, "join", room), [[room]]);
    assert.deepEqual(await acknowledged(member, "join", other), [[other, room].sort()]);
    await acknowledged(sender, "to", room, event, "in");
    assert.deepEqual(await acknowledged(sender, "count", room), [1]);
    assert.deepEqual(await acknowledged(member, "leave", room), [[other]]);
    await acknowledged(sender, "to", room, event, "gone");
    assert.deepEqual(await acknowledged(sender, "count", room), [0]);
    await fenced(member, outsider);
    assert.deepEqual(seen, [[["in"]], [], []]);
  },

  async "to leaves the sender out, in does not"({ open, fresh }) {
    const [one, two] = [await open(), await open()];
    const [room, event] = [fresh(), fresh()];
    const seen = [one, two].map((socket) => collect(socket, event));
    await acknowledged(one, "join", room);
    await acknowledged(two, "join", room);
    await acknowledged(one, "to", room, event, "to");
    await acknowledged(one, "in", room, event, "in");
    await fenced(two);
    assert.deepEqual(seen, [[["in"]], [["to"], ["in"]]]);
  },

  async "broadcasts keep their order"({ open, fresh }) {
    const [sender, other] = [await open(), await open()];
    const event = fresh();
    const seen = collect(other, event);
    for (let i = 0; i < 100; i++) sender.emit(i % 2 ? "broadcast" : "all", event, i);
    await fenced(sender);
    await fenced(other);
    assert.deepEqual(
      seen,
      Array.from({ length: 100 }, (_, i) => [i]),
    );
  },
};
