// The sessions that go through the proxy, and what a mutation makes of their packets.

import { request } from "node:http";
import { framingOf, isThree } from "./payloads.mjs";

const FORGOTTEN = 60_000; // ms after which a session that has ended is forgotten

/** A session as the mutations see it. */
export class Session {
  /** What a mutation remembers about it. */
  state = {};
  /** How many polls are open. */
  polls = 0;
  /** The client has probed a WebSocket. */
  probed = false;
  upgraded = false;
  /** A WebSocket carries it. */
  webSocket = false;
  ended = false;
  /** Packets for the client's next poll. */
  waiting = [];
  toClient = (packet) => this.waiting.push(packet);

  constructor(raw, sessions) {
    /** No Socket.IO on top. */
    this.raw = raw;
    /** All sessions of the proxy, by their ids. */
    this.sessions = sessions;
  }
}

export class Sessions {
  #target;
  #mutation;
  #byId = new Map();

  constructor(target, mutation) {
    this.#target = target;
    this.#mutation = mutation;
  }

  /** The session that a request is about. */
  of(path) {
    return this.#byId.get(new URLSearchParams(path.split("?")[1]).get("sid"));
  }

  begin(path) {
    const session = new Session(path.startsWith("/engine.io"), this.#byId);
    session.toServer = (packet) => this.#post(path, session, packet);
    return session;
  }

  /** The open packet tells the session's id. */
  opened(session, packet) {
    [, session.sid] = /"sid":"([^"]+)"/.exec(packet) ?? [];
    if (session.sid) this.#byId.set(session.sid, session);
  }

  end(session) {
    session.ended = true;
    setTimeout(() => this.#byId.delete(session.sid), FORGOTTEN).unref();
  }

  /** What is passed on of the client's packets. */
  up(packets, session) {
    const { up } = this.#mutation;
    return up ? packets.flatMap((packet) => up(packet, session) ?? []) : packets;
  }

  /** What is passed on of the server's packets. */
  down(packets, session) {
    const { open, down, batch } = this.#mutation;
    let passed = packets;
    if (open)
      passed = passed.map((packet) =>
        /^0\{/.test(packet) ? `0${JSON.stringify(open(JSON.parse(packet.slice(1))))}` : packet,
      );
    if (down) passed = passed.flatMap((packet) => down(packet, session) ?? []);
    return batch ? batch(passed, session) : passed;
  }

  /** What the proxy itself says to the server for a client that polls. */
  #post(path, session, packet) {
    const { hostname: host, port } = this.#target;
    const query = `${path.split("?")[0]}?EIO=${isThree(path) ? 3 : 4}&transport=polling&sid=${session.sid}`;
    const post = request({ host, port, method: "POST", path: query, agent: false }, (response) => response.resume());
    post.on("error", () => {}).end(framingOf(query, "").join([packet]));
  }
}
