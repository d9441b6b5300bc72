// Namespaces, on a connection of their own or shared.

import { strict as assert } from "node:assert";
import { acknowledged, collect, connected, heard } from "../bench.mjs";

export const namespaces = {
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

  async "dynamic namespaces are there on demand"({ open }) {
    const socket = await open({ namespace: "/dynamic-101" });
    assert.deepEqual(await acknowledged(socket, "message-with-ack", 1), [1]);
  },

  async "a namespace refuses, with data"({ dial }) {
    const [error] = await heard(dial({ namespace: "/forbidden" }), "connect_error");
    assert.equal(error.message, "not authorized");
    assert.deepEqual(error.data, { reason: "forbidden" });
  },

  async "an unknown namespace is refused"({ dial }) {
    for (const namespace of ["/nobody", "/dynamic-x"]) {
      const [error] = await heard(dial({ namespace }), "connect_error");
      assert.equal(error.message, "Invalid namespace");
    }
  },

  async "a refusal leaves the other namespaces alone"({ open, join }) {
    const root = await open();
    await heard(join(root, "/forbidden"), "connect_error");
    assert.deepEqual(await acknowledged(root, "message-with-ack", 1), [1]);
  },

  async "acknowledgements in two namespaces do not mix"({ open, join }) {
    const root = await open();
    const custom = join(root, "/custom");
    await connected(custom);
    const both = [acknowledged(root, "message-with-ack", "root"), acknowledged(custom, "message-with-ack", "custom")];
    assert.deepEqual(await Promise.all(both), [["root"], ["custom"]]);
  },

  async "a broadcast stays in its namespace"({ open, join, fresh }) {
    const [one, two] = [await open(), await open()];
    const [oneCustom, twoCustom] = [join(one, "/custom"), join(two, "/custom")];
    await Promise.all([connected(oneCustom), connected(twoCustom)]);
    const event = fresh();
    const inRoot = collect(two, event);
    const heardIt = heard(twoCustom, event);
    await acknowledged(oneCustom, "broadcast", event, 1);
    assert.deepEqual(await heardIt, [1]);
    await acknowledged(two, "message-with-ack");
    assert.deepEqual(inRoot, []);
  },

  async "a room of that name in another namespace is another room"({ open, join, fresh }) {
    const root = await open();
    const custom = join(root, "/custom");
    await connected(custom);
    const room = fresh();
    await acknowledged(root, "join", room);
    assert.deepEqual(await acknowledged(custom, "count", room), [0]);
    assert.deepEqual(await acknowledged(root, "count", room), [1]);
  },

  async "leaving one namespace leaves the other alone"({ open, join }) {
    const root = await open();
    const custom = join(root, "/custom");
    await connected(custom);
    custom.disconnect();
    assert.deepEqual(await acknowledged(root, "message-with-ack", 1), [1]);
    custom.connect();
    await connected(custom);
    assert.deepEqual(await acknowledged(custom, "message-with-ack", 2), [2]);
  },
};
