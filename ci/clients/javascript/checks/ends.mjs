// Disconnection, from both sides.

import { strict as assert } from "node:assert";
import { acknowledged, collect, connected, heard, until } from "../bench.mjs";

export const ends = {
  async "is disconnected"({ open }) {
    const socket = await open();
    const ended = heard(socket, "disconnect");
    socket.emit("disconnect-me");
    assert.equal((await ended)[0], "io server disconnect");
    assert.equal(socket.id, undefined);
  },

  async "is disconnected from one namespace only"({ open, join }) {
    const root = await open();
    const custom = join(root, "/custom");
    await connected(custom);
    const ended = heard(root, "disconnect");
    root.emit("disconnect-me", false);
    assert.equal((await ended)[0], "io server disconnect");
    assert.deepEqual(await acknowledged(custom, "message-with-ack", 1), [1]);
  },

  async "is disconnected from all when the connection closes"({ open, join }) {
    const root = await open();
    const custom = join(root, "/custom");
    await connected(custom);
    const closed = heard(root.io, "close");
    const ended = [heard(root, "disconnect"), heard(custom, "disconnect")];
    custom.emit("disconnect-me", true);
    for (const [reason] of await Promise.all(ended)) assert.match(reason, /^(io server disconnect|transport close)$/);
    await closed;
  },

  async "connects again after it was disconnected"({ open }) {
    const socket = await open();
    const before = socket.id;
    const ended = heard(socket, "disconnect");
    const closed = heard(socket.io.engine, "close"); // it had no other namespace
    socket.emit("disconnect-me");
    await ended;
    await closed;
    socket.connect();
    await connected(socket);
    assert.notEqual(socket.id, before);
    assert.deepEqual(await acknowledged(socket, "message-with-ack", 1), [1]);
  },

  async "hears the last words"({ open }) {
    const socket = await open();
    const seen = collect(socket, "word");
    const ended = heard(socket, "disconnect");
    socket.emit("last-words", 20, "word", false);
    await ended;
    assert.deepEqual(
      seen,
      Array.from({ length: 20 }, (_, i) => [i]),
    );
  },

  async "disconnects, and the server notices"({ open, fresh }) {
    const [leaver, watcher] = [await open(), await open()];
    const room = fresh();
    await acknowledged(leaver, "join", room);
    const ended = heard(leaver, "disconnect");
    leaver.disconnect();
    assert.equal((await ended)[0], "io client disconnect");
    await until("the server to notice", async () => (await acknowledged(watcher, "count", room))[0] === 0);
  },

  async "leaves one namespace, and the server notices"({ open, join, fresh }) {
    const [leaver, watcher] = [await open(), await open()];
    const [leaverCustom, watcherCustom] = [join(leaver, "/custom"), join(watcher, "/custom")];
    await Promise.all([connected(leaverCustom), connected(watcherCustom)]);
    const room = fresh();
    await acknowledged(leaverCustom, "join", room);
    leaverCustom.disconnect();
    await until("the server to notice", async () => (await acknowledged(watcherCustom, "count", room))[0] === 0);
    assert.deepEqual(await acknowledged(leaver, "message-with-ack", 1), [1]);
  },

  async "what was emitted right before disconnecting arrives"({ open, fresh }) {
    const [leaver, watcher] = [await open(), await open()];
    const event = fresh();
    const seen = heard(watcher, event);
    leaver.emit("broadcast", event, "bye");
    leaver.disconnect();
    assert.deepEqual(await seen, ["bye"]);
  },
};
