// Namespaces, on a connection of their own or shared.

import { strict as assert } from "node:assert";
import { acknowledged, collect, connected, heard } from "../bench.mjs";

export const namespaces = {
  async "dynamic namespaces are there on demand"({ open }) {
    const socket = await open({ namespace: "/dynamic-101" });
    assert.deepEqual(await acknowledged(socket, "message-with-ack", 1), [1]);
  },

  async "an unknown namespace is refused"({ dial, refused }) {
    for (const namespace of ["/nobody", "/dynamic-x"]) {
      assert.equal(await refused(dial({ namespace })), "Invalid namespace");
    }
  },

  async "a refusal leaves the other namespaces alone"({ open, join, refused }) {
    const root = await open();
    assert.equal(await refused(join(root, "/forbidden")), "not authorized");
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
