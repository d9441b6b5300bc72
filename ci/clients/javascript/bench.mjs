// What every check gets: sockets of its own over one lane, a way to wait with a bound, and helpers that break things.

import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { FaultProxy } from "./fault-proxy.mjs";

/** ms that anything awaited may take. */
const PATIENCE = 5000;

/** ms: longer than an unanswered ping lets a connection live, and five of the contract's ping intervals. */
export const FIVE_PINGS = 1500;

export class Bench {
  #url;
  #sockets = [];
  #proxies = [];

  /**
   * A lane has a `name`, the client's `io` and the `options` for it, the name of the transport that is its `carrier` in the
   * end, and how the client tells a `refusal`.
   */
  constructor(url, lane, servers) {
    this.#url = url;
    this.lane = lane;
    this.servers = servers;
  }

  get url() {
    return this.#url;
  }

  /** A socket that is connecting. */
  dial = ({ url = this.#url, namespace = "/", ...options } = {}) => {
    const socket = this.lane.io(url + namespace, {
      ...this.lane.options,
      forceNew: true,
      reconnection: false,
      ...options,
    });
    this.#sockets.push(socket);
    return socket;
  };

  /** A socket that is connected and, settled. */
  open = async (options) => {
    const socket = this.dial(options);
    await connected(socket);
    await this.settled(socket);
    return socket;
  };

  /** On a lane that upgrades, the upgrade is done. */
  settled = async (socket) => {
    if (socket.io.engine.transport.name !== this.lane.carrier) await upgraded(socket);
  };

  /** A further namespace on the connection of a socket. */
  join = (socket, namespace, options = {}) => {
    const joined = socket.io.socket(namespace, options);
    this.#sockets.push(joined);
    return joined;
  };

  /** The reason for which a namespace does not let the socket in. */
  refused = async (socket) => {
    const [error] = await heard(socket, this.lane.refusal.event);
    return this.lane.refusal.reason(error);
  };

  /** A network before the server, or before another one. */
  proxy = async ({ url = this.#url, ...treatment } = {}) => {
    const proxy = await FaultProxy.start(new URL(url), treatment);
    this.#proxies.push(proxy);
    return proxy;
  };

  /** A name that no other check uses. */
  fresh = () => `${this.lane.name}-${Math.random().toString(36).slice(2)}`;

  tidy() {
    for (const socket of this.#sockets) {
      socket.io.reconnection(false);
      socket.disconnect();
    }
    for (const proxy of this.#proxies) proxy.close();
    this.servers.stop();
  }
}

/** Starts reference servers for the checks that need one of their own. */
export class ServerFactory {
  constructor(executable) {
    this.executable = executable;
    this.running = [];
  }

  /** A server that listens; `port` 0 takes a free one. */
  async start(port, ...options) {
    const always = ["--contract", "--ping-timeout", "1", "--flash-policy-port", "off", "--port", port];
    const child = spawn(this.executable, [...always, ...options], { stdio: ["ignore", "pipe", "inherit"] });
    this.running.push(child);
    const line = await bounded("the server to get ready", (done, fail) => {
      createInterface(child.stdout).once("line", done);
      child.once("exit", (code) => fail(new Error(`the server ended with ${code}`)));
      child.once("error", fail);
    });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    return {
      url: JSON.parse(line).listening,
      end: (signal) => {
        child.kill(signal);
        return bounded("the server to end", (done) => ended.then(done));
      },
    };
  }

  stop() {
    for (const child of this.running) child.kill("SIGKILL");
  }
}

/** A port that stays free while its server is down: below those that systems hand out, so nobody is given it. */
export async function portOfItsOwn() {
  const port = randomInt(20_000, 32_000);
  const probe = createServer();
  const isFree = await bounded("a free port", (done) => {
    probe.once("error", () => done(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => done(true)));
  });
  return isFree ? port : portOfItsOwn();
}

export function connected(socket) {
  return bounded("the connection", (done, fail) => {
    if (socket.connected) return done();
    socket.once("connect", done);
    if (socket.io.reconnection()) return; // it tries again
    for (const refusal of ["connect_error", "error"]) socket.once(refusal, fail);
  });
}

export function upgraded(socket) {
  const { engine } = socket.io;
  return bounded("the upgrade", (done, fail) => {
    if (engine.transport.name === "websocket") return done();
    engine.once("upgrade", () => done());
    engine.once("upgradeError", fail);
  });
}

/** The arguments of the next such event. */
export function heard(emitter, event) {
  return bounded(`the event ${JSON.stringify(event)}`, (done) => emitter.once(event, (...args) => done(args)));
}

/** The arguments of every such event from now on. */
export function collect(emitter, event) {
  const seen = [];
  emitter.on(event, (...args) => seen.push(args));
  return seen;
}

/** Emits, and waits for the arguments of the acknowledgement. */
export function acknowledged(socket, event, ...args) {
  return bounded(`the acknowledgement of ${JSON.stringify(event)}`, (done) =>
    socket.emit(event, ...args, (...answer) => done(answer)),
  );
}

/** Every socket has taken in all that was sent to it until now. */
export const fenced = (...sockets) => Promise.all(sockets.map((socket) => acknowledged(socket, "message-with-ack")));

/** Asks again and again until it is so. */
export async function until(what, ask) {
  await bounded(what, async (done) => {
    while (!(await ask()));
    done();
  });
}

export function bounded(what, start) {
  const outcome = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what} did not come within ${PATIENCE} ms`)), PATIENCE);
    const done = (value) => {
      clearTimeout(timer);
      resolve(value);
    };
    const fail = (error) => {
      clearTimeout(timer);
      reject(error);
    };
    Promise.resolve(start(done, fail)).catch(fail);
  });
  outcome.catch(() => {}); // a check that has failed already does not come to await it
  return outcome;
}

export function pause(ms) {
  return new Promise((over) => setTimeout(over, ms));
}
