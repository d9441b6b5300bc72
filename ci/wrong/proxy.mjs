// Stands before a good server and makes one thing wrong. Without a mutation it changes nothing.
//
// A mutation is an object of hooks, all optional:
//
//   server          options that the reference server is started with
//   request(r, p)   before a request is passed on: may change `r.method`, `r.target`, `r.headers` and `r.body`, or return
//                   a response of its own
//   response(r, request)   may change `r.status`, `r.headers`, `r.body`
//   open(handshake) may change what the server says in its open packet
//   up(packet, session), down(packet, session)   a packet of the client, of the server; returns what is passed on instead:
//                   a packet, a list, or nothing
//   batch(packets, session)   packets of the server that go out together
//   ended(session)  the server has ended the WebSocket: how many ms later the client is told

import { createServer, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { gunzipSync, gzipSync } from "node:zlib";
import { Splitter, frame, isClose } from "./frames.mjs";
import { join, split } from "./packets.mjs";

const FORGOTTEN = 60_000; // ms after which a session that has ended is forgotten

/** A session as the mutations see it. */
export class Session {
  /** What a mutation remembers about it. */
  state = {};
  polls = 0;
  probed = false;
  upgraded = false;
  ended = false;
  /** Packets for the client's next poll. */
  waiting = [];
  toClient = (packet) => this.waiting.push(packet);
  toServer = () => {};

  constructor(raw, sessions) {
    /** No Socket.IO on top. */
    this.raw = raw;
    /** All sessions of the proxy. */
    this.sessions = sessions;
  }
}

export class Proxy {
  #target;
  #mutation;
  #server;
  #sockets = new Set();
  sessions = new Map();

  constructor(target, mutation) {
    this.#target = new URL(target);
    this.#mutation = mutation;
    this.#server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      this.#serve(request, response).catch(() => request.socket.destroy());
    });
    this.#server.on("connection", (socket) => this.#track(socket));
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.on("clientError", (_, socket) => socket.destroy());
  }

  listen(port = 0) {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, "127.0.0.1", () => resolve(`http://127.0.0.1:${this.#server.address().port}`));
    });
  }

  close() {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #track(socket) {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#sockets.delete(socket));
  }

  // --- HTTP

  async #serve(incoming, outgoing) {
    const request = {
      method: incoming.method,
      target: incoming.url,
      headers: headersOf(incoming),
      body: await read(incoming),
    };
    const session = this.#sessionOf(request.target);
    request.session = session;
    const own = this.#mutation.request?.(request, this);
    if (own) return answer(outgoing, { headers: {}, ...own });
    if (session && request.method === "POST") {
      const packets = split(request.body);
      const passed = this.#up(packets, session);
      if (passed.length === 0 && packets.length > 0) return answer(outgoing, { status: 200, headers: {}, body: "ok" });
      if (passed.length !== packets.length || passed.some((packet, i) => packet !== packets[i]))
        request.body = join(passed);
    }
    const polls = session && request.method === "GET";
    if (polls) session.polls += 1;
    const response = await this.#fetch(request, outgoing, session);
    if (polls) session.polls -= 1;
    if (!response) return;
    this.#mutation.response?.(response, request);
    await answer(outgoing, response);
  }

  /** Passes a request on. A poll whose packets are all swallowed polls again. */
  async #fetch(request, outgoing, session) {
    for (;;) {
      const response = await this.#forward(request, outgoing);
      if (!response) {
        outgoing.socket?.destroy();
        return undefined;
      }
      const isPoll = request.method === "GET" && response.status === 200 && /transport=polling/.test(request.target);
      if (session && response.status === 400 && request.method === "GET") this.#end(session);
      if (!isPoll) return response;
      const polled = session ?? this.#begin(request.target);
      const packets = split(response.body);
      const passed = [...polled.waiting.splice(0), ...this.#down(packets, polled)];
      if (passed.length > 0) {
        if (passed.length !== packets.length || passed.some((packet, i) => packet !== packets[i]))
          response.body = join(passed);
        if (!session) this.#name(polled, packets[0]);
        return response;
      }
    }
  }

  #forward({ method, target, headers, body }, outgoing) {
    return new Promise((resolve) => {
      const options = {
        host: this.#target.hostname,
        port: this.#target.port,
        method,
        path: target,
        headers: flat(headers),
      };
      if (body.length > 0 || method === "POST") options.headers["content-length"] = body.length;
      delete options.headers["transfer-encoding"];
      const upstream = httpRequest({ ...options, agent: false }, async (response) => {
        const encoded = await read(response).catch(() => undefined);
        if (!encoded) return resolve(undefined);
        const zipped = response.headers["content-encoding"] === "gzip";
        resolve({
          status: response.statusCode,
          headers: headersOf(response),
          zipped,
          body: zipped ? gunzipSync(encoded) : encoded,
        });
      });
      upstream.on("error", () => resolve(undefined));
      const abandon = () => upstream.destroy();
      outgoing.once("close", abandon);
      upstream.once("close", () => outgoing.off("close", abandon));
      upstream.end(body);
    });
  }

  // --- WebSocket

  #upgrade(incoming, client, head) {
    const request = {
      method: incoming.method,
      target: incoming.url,
      headers: headersOf(incoming),
      body: Buffer.alloc(0),
    };
    let session = this.#sessionOf(request.target);
    request.session = session;
    const own = this.#mutation.request?.(request, this);
    if (own) return client.end(`HTTP/1.1 ${own.status} -\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    const server = connect(this.#target.port, this.#target.hostname);
    this.#track(server);
    const lines = Object.entries(request.headers).flatMap(([name, values]) =>
      values.map((value) => `${name}: ${value}`),
    );
    server.write(`${request.method} ${request.target} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);

    const probing = session !== undefined;
    let closing; // the server's close frame, where a mutation holds it back
    const [fromClient, fromServer] = [new Splitter(), new Splitter()];
    const toClient = (packet) => client.write(frame(packet, false));
    const toServer = (packet) => server.write(frame(packet, true));
    const take = (taken) => {
      session = taken;
      Object.assign(session, { toClient, toServer, hangUp: () => client.destroy(), webSocket: true });
    };
    const upward = (bytes) => {
      for (const message of fromClient.feed(bytes)) {
        if (message.raw || !session) toServer(message);
        else this.#climb(message, { session, probing, take, toServer });
      }
    };
    const downward = (bytes) => {
      let packets = [];
      const flush = () => {
        this.#down(packets, session).forEach(toClient);
        packets = [];
      };
      for (const message of fromServer.feed(bytes)) {
        if (message.raw) {
          if (packets.length > 0) flush();
          if (isClose(message) && this.#mutation.ended) closing = message;
          else toClient(message);
          continue;
        }
        if (!session) {
          take(this.#begin(request.target));
          this.#name(session, message);
        }
        packets.push(message);
      }
      if (packets.length > 0) flush();
    };

    let headSeen = Buffer.alloc(0);
    const begin = (bytes) => {
      headSeen = Buffer.concat([headSeen, bytes]);
      const end = headSeen.indexOf("\r\n\r\n");
      if (end < 0) return;
      server.off("data", begin);
      const is101 = headSeen.subarray(0, 12).toString("latin1") === "HTTP/1.1 101";
      client.write(is101 ? headSeen.subarray(0, end + 4) : headSeen);
      server.on("data", is101 ? downward : (more) => client.write(more));
      if (!is101) return;
      if (headSeen.length > end + 4) downward(headSeen.subarray(end + 4));
      client.on("data", upward);
      if (head.length > 0) upward(head);
    };
    server.on("data", begin);
    server.on("end", () => {
      const late = session && (!probing || session.upgraded) ? (this.#mutation.ended?.(session) ?? 0) : 0;
      if (session?.webSocket) this.#end(session);
      setTimeout(() => client.end(closing ? frame(closing, false) : fromServer.end()), late);
    });
    server.on(
      "close",
      () => client.destroyed || client.writableEnded || (this.#mutation.ended ? undefined : client.destroy()),
    );
    client.on("end", () => server.end(fromClient.end()));
    client.on("close", () => server.destroy());
  }

  /** A message of the client over a WebSocket. */
  #climb(message, { session, probing, take, toServer }) {
    if (probing && message === "2probe") session.probed = true;
    if (probing && message === "5") {
      session.upgraded = true;
      take(session);
    }
    this.#up([message], session).forEach(toServer);
  }

  // --- sessions

  #sessionOf(target) {
    return this.sessions.get(new URLSearchParams(target.split("?")[1]).get("sid"));
  }

  #begin(target) {
    const session = new Session(target.startsWith("/engine.io"), this.sessions);
    session.toServer = (packet) => this.#post(target, session, packet);
    return session;
  }

  #name(session, packet) {
    const [, sid] = /"sid":"([^"]+)"/.exec(packet) ?? [];
    session.sid = sid;
    if (sid) this.sessions.set(sid, session);
  }

  #end(session) {
    session.ended = true;
    setTimeout(() => this.sessions.delete(session.sid), FORGOTTEN).unref();
  }

  /** What the proxy itself says for a client that polls. */
  #post(target, session, packet) {
    const path = `${target.split("?")[0]}?EIO=4&transport=polling&sid=${session.sid}`;
    const options = { host: this.#target.hostname, port: this.#target.port, method: "POST", path, agent: false };
    httpRequest(options, (response) => response.resume())
      .on("error", () => {})
      .end(join([packet]));
  }

  #up(packets, session) {
    return this.#mutation.up ? packets.flatMap((packet) => this.#mutation.up(packet, session) ?? []) : packets;
  }

  #down(packets, session) {
    const { open, down, batch } = this.#mutation;
    let passed = packets;
    if (open)
      passed = passed.map((packet) =>
        /^0\{/.test(packet) ? `0${JSON.stringify(open(JSON.parse(packet.slice(1))))}` : packet,
      );
    if (down) passed = passed.flatMap((packet) => down(packet, session) ?? []);
    return batch ? batch(passed, session) : passed;
  }
}

async function read(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The headers by name, as they were spelled. */
function headersOf({ rawHeaders }) {
  const headers = {};
  for (let i = 0; i < rawHeaders.length; i += 2) (headers[rawHeaders[i].toLowerCase()] ??= []).push(rawHeaders[i + 1]);
  return headers;
}

function flat(headers) {
  return Object.fromEntries(
    Object.entries(headers).map(([name, values]) => [name, values.length === 1 ? values[0] : values]),
  );
}

async function answer(outgoing, { status, headers, body = "", zipped, after = 0 }) {
  if (after) await new Promise((over) => setTimeout(over, after));
  if (outgoing.destroyed) return;
  const bytes = zipped ? gzipSync(body) : Buffer.from(body);
  const hop = ["connection", "keep-alive", "transfer-encoding", "content-length"];
  const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => !hop.includes(name)));
  outgoing.sendDate = false;
  if (status !== 204) kept["content-length"] = [bytes.length];
  outgoing.writeHead(status, flat(kept));
  outgoing.end(bytes);
}
