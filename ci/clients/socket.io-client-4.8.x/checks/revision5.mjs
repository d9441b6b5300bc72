// What only revision 5 of the protocol has.

import { strict as assert } from "node:assert";
import { acknowledged, collect, connected, fenced, heard } from "../../javascript/bench.mjs";

export const revision5 = {
  async "has an id that nobody else has, and that is not the session's"({ open }) {
    const [one, two] = [await open(), await open()];
    assert.equal(new Set([one.id, two.id, one.io.engine.id, two.io.engine.id]).size, 4);
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

  async "joins a namespace"({ dial }) {
    const custom = dial({ namespace: "/custom", auth: { in: "custom" } });
    assert.deepEqual(await heard(custom, "auth"), [{ in: "custom" }]);
    const back = heard(custom, "message-back");
    custom.emit("message", "there");
    assert.deepEqual(await back, ["there"]);
    assert.deepEqual(await acknowledged(custom, "message-with-ack", Buffer.from([7])), [Buffer.from([7])]);
  },

  async "joins several over one connection, each with its own auth"({ open, join }) {
    const root = await open({ auth: { in: "root" } });
    const custom = join(root, "/custom", { auth: { in: "custom" } });
    const dynamic = join(root, "/dynamic-7", { auth: { in: "dynamic" } });
    await Promise.all([connected(custom), connected(dynamic)]);
    assert.equal(new Set([root.id, custom.id, dynamic.id]).size, 3);
    const answers = await Promise.all([root, custom, dynamic].map((socket) => acknowledged(socket, "handshake")));
    assert.deepEqual(
      answers.map(([seen]) => seen.auth.in),
      ["root", "custom", "dynamic"],
    );
  },

  async "a namespace refuses, with data"({ dial }) {
    const [error] = await heard(dial({ namespace: "/forbidden" }), "connect_error");
    assert.equal(error.message, "not authorized");
    assert.deepEqual(error.data, { reason: "forbidden" });
  },

  async "except leaves a room out"({ open, fresh }) {
    const [sender, member, other] = [await open(), await open(), await open()];
    const [room, event] = [fresh(), fresh()];
    const seen = [sender, member, other].map((socket) => collect(socket, event));
    await acknowledged(member, "join", room);
    await acknowledged(sender, "except", room, event, 1);
    await fenced(member, other);
    assert.deepEqual(seen, [[[1]], [], [[1]]]);
  },
};
