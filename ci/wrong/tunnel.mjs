// One WebSocket through the proxy: the response is passed on as it comes, then messages go through the mutation.

import { Splitter, frame, isClose } from "./frames.mjs";
import { isThree } from "./payloads.mjs";

const MESSAGE = 4;

export class Tunnel {
  #request;
  #client;
  #server;
  #sessions;
  #ended;
  #session;
  /** Binary messages begin with the type of their packet, as in Engine.IO 3. */
  #typed;
  /** They lose it. */
  #untyped;
  /** It was opened beside a session that polls. */
  #probing;
  #fromClient = new Splitter();
  #fromServer = new Splitter();
  #head = Buffer.alloc(0);
  /** The server's close frame, where a mutation holds it back. */
  #closing;

  constructor({ request, client, server, early, sessions, mutation: { ended, wire } }) {
    this.#request = request;
    this.#typed = isThree(request.target);
    this.#untyped = wire?.untyped;
    this.#client = client;
    this.#server = server;
    this.#sessions = sessions;
    this.#ended = ended;
    this.#session = request.session;
    this.#probing = request.session !== undefined;
    const lines = Object.entries(request.headers).flatMap(([name, values]) =>
      values.map((value) => `${name}: ${value}`),
    );
    server.write(`${request.method} ${request.target} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    server.on("data", (bytes) => this.#responded(bytes, early));
    server.on("end", () => this.#end());
    server.on("close", () => ended || client.destroy());
    client.on("end", () => server.end(this.#fromClient.end()));
    client.on("close", () => server.destroy());
  }

  /** The head of the response; what follows a 101 are frames. */
  #responded(bytes, early) {
    this.#head = Buffer.concat([this.#head, bytes]);
    const end = this.#head.indexOf("\r\n\r\n") + 4;
    if (end < 4) return;
    const [head, rest] = [this.#head.subarray(0, end), this.#head.subarray(end)];
    this.#server.removeAllListeners("data");
    this.#client.write(head);
    if (!head.toString("latin1").startsWith("HTTP/1.1 101")) {
      this.#client.write(rest);
      this.#server.on("data", (more) => this.#client.write(more));
      return;
    }
    this.#server.on("data", (more) => this.#down(more));
    this.#client.on("data", (more) => this.#up(more));
    if (rest.length > 0) this.#down(rest);
    if (early.length > 0) this.#up(early);
  }

  #toClient = (message) => this.#client.write(frame(this.#untyped ? message : this.#withType(message), false));
  #toServer = (message) => this.#server.write(frame(this.#withType(message), true));

  #withType(message) {
    return this.#typed && Buffer.isBuffer(message) ? Buffer.concat([Buffer.from([MESSAGE]), message]) : message;
  }

  /** Messages without the type; a binary one of another type is none that a mutation looks at. */
  #withoutType(messages, masked) {
    if (!this.#typed) return messages;
    return messages.map((message) => {
      if (!Buffer.isBuffer(message)) return message;
      return message[0] === MESSAGE ? message.subarray(1) : { raw: frame(message, masked) };
    });
  }

  #up(bytes) {
    for (const message of this.#withoutType(this.#fromClient.feed(bytes), true)) {
      if (message.raw || !this.#session) {
        this.#toServer(message);
        continue;
      }
      if (this.#probing && message === "2probe") this.#session.probed = true;
      if (this.#probing && message === "5") {
        this.#session.upgraded = true;
        this.#carry(this.#session);
      }
      this.#sessions.up([message], this.#session).forEach(this.#toServer);
    }
  }

  #down(bytes) {
    let packets = [];
    const flush = () => {
      if (packets.length > 0) this.#sessions.down(packets, this.#session).forEach(this.#toClient);
      packets = [];
    };
    for (const message of this.#withoutType(this.#fromServer.feed(bytes), false)) {
      if (message.raw) {
        flush();
        if (this.#ended && isClose(message)) this.#closing = message;
        else this.#toClient(message);
        continue;
      }
      if (!this.#session) {
        this.#carry(this.#sessions.begin(this.#request.target));
        this.#sessions.opened(this.#session, message);
      }
      packets.push(message);
    }
    flush();
  }

  /** From now on this WebSocket carries the session. */
  #carry(session) {
    const [toClient, toServer] = [this.#toClient, this.#toServer];
    // Behind the packet at which a mutation asks for it, and before anything that is an answer to that packet.
    const hangUp = () => setImmediate(() => this.#client.destroy());
    this.#session = Object.assign(session, { toClient, toServer, hangUp, webSocket: true });
  }

  #end() {
    const carried = this.#session && (!this.#probing || this.#session.upgraded);
    const late = (carried && this.#ended?.(this.#session)) || 0;
    if (carried) this.#sessions.end(this.#session);
    setTimeout(() => this.#client.end(this.#closing ? frame(this.#closing, false) : this.#fromServer.end()), late);
  }
}
