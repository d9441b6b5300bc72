// Passes bytes between a client and a server until it is told to do worse.

import { connect, createServer } from "node:net";

/** ms of delay in each direction. */
const LATENCY = 15;

export class FaultProxy {
  #server;
  #pairs = new Set();
  #frozen = false;
  #down = false;

  /** A connection whose client says what matches `refuse` is closed; one with `slow`, delayed from then on. */
  static start(target, { refuse, slow }) {
    const proxy = new FaultProxy();
    proxy.#server = createServer((client) => proxy.#carry(client, target, { refuse, slow }));
    return new Promise((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(0, "127.0.0.1", () => resolve(proxy));
    });
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  /** Ends every connection at once, as a network that goes away does, and lets none through until it is released. */
  hold() {
    this.#down = true;
    this.#cut();
  }

  release() {
    this.#down = false;
  }

  /** From now on nothing passes, and nobody is told. */
  freeze() {
    this.#frozen = true;
    for (const pair of this.#pairs) pair.forEach((socket) => socket.pause());
  }

  close() {
    this.#cut();
    this.#server.close();
  }

  #cut() {
    for (const [client, server] of this.#pairs) {
      client.destroy();
      server.destroy();
    }
  }

  #carry(client, target, { refuse, slow }) {
    if (this.#down) return client.destroy();
    const server = connect(target.port, target.hostname);
    const pair = [client, server];
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on("error", end);
      socket.on("close", end);
    }
    if (this.#frozen) return pair.forEach((socket) => socket.pause());
    let late = false;
    const pass = (to) => (bytes) => (late ? setTimeout(() => to.write(bytes), LATENCY) : to.write(bytes));
    client.on("data", (bytes) => {
      const text = bytes.toString("latin1");
      late ||= slow?.test(text);
      if (refuse?.test(text)) end();
    });
    client.on("data", pass(server));
    server.on("data", pass(client));
  }
}
