// A server of their own that is stopped and started again.

import { strict as assert } from "node:assert";
import { acknowledged, heard, portOfItsOwn } from "../bench.mjs";

const AGAIN = { reconnection: true, reconnectionDelay: 50, randomizationFactor: 0 };

export const restarts = {
  async "connects again to a server that was started again"({ open, servers }) {
    const port = await portOfItsOwn();
    const server = await servers.start(port);
    const socket = await open({ url: server.url, ...AGAIN });
    const [ended, tried] = [heard(socket, "disconnect"), heard(socket.io, "reconnect_error")];
    await server.end("SIGKILL");
    await ended;
    await tried;
    const answer = acknowledged(socket, "message-with-ack", "kept");
    await servers.start(port);
    assert.deepEqual(await answer, ["kept"]);
  },

  async "a server that stops says so"({ open, servers }) {
    const server = await servers.start(0);
    const socket = await open({ url: server.url });
    const ended = heard(socket, "disconnect");
    await server.end("SIGTERM");
    assert.match((await ended)[0], /^(transport close|transport error|io server disconnect)$/);
  },
};
