// Stands before a good server and makes one thing wrong. Without a mutation it changes nothing.
//
// A mutation is an object of hooks, all optional:
//
//   server          options that the reference server is started with
//   request(r)      before a request is passed on: may change `r.method`, `r.target`, `r.headers` and `r.body`, or return
//                   a response of its own
//   response(r, request)   may change `r.status`, `r.headers`, `r.body`
//   open(handshake) may change what the server says in its open packet
//   up(packet, session), down(packet, session)   a packet of the client, of the server; returns what is passed on instead:
//                   a packet, a list, or nothing
//   batch(packets, session)   packets of the server that go out together
//   wire            what is wrong in the framing of the server's packets; see payloads.mjs
//   ended(session)  the server has ended the WebSocket: how many ms later the client is told

import { createServer, request as send } from "node:http";
import { connect } from "node:net";
import { gunzipSync, gzipSync } from "node:zlib";
import { framingOf } from "./payloads.mjs";
import { Sessions } from "./sessions.mjs";
import { Tunnel } from "./tunnel.mjs";

export class Proxy {
  #target;
  #mutation;
  #sessions;
  #server;
  #sockets = new Set();

  constructor(target, mutation) {
    this.#target = new URL(target);
    this.#mutation = mutation;
    this.#sessions = new Sessions(this.#target, mutation);
    this.#server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      this.#serve(request, response).catch(() => request.socket.destroy());
    });
    this.#server.on("connection", (socket) => this.#track(socket));
    this.#server.on("upgrade", (request, socket, early) => this.#upgrade(request, socket, early));
    this.#server.on("clientError", (_, socket) => socket.destroy());
  }

  /** Its URL, once it listens. */
  listen() {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${this.#server.address().port}`));
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

  /** The request as a mutation sees it, and the response that the mutation has for it. */
  #received(incoming, body) {
    const { method, url: target } = incoming;
    const request = { method, target, headers: headersOf(incoming), body, session: this.#sessions.of(target) };
    return [request, this.#mutation.request?.(request)];
  }

  #upgrade(incoming, client, early) {
    const [request, own] = this.#received(incoming, Buffer.alloc(0));
    if (own) return client.end(`HTTP/1.1 ${own.status} -\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    const server = connect(this.#target.port, this.#target.hostname);
    this.#track(server);
    new Tunnel({ request, client, server, early, sessions: this.#sessions, mutation: this.#mutation });
  }

  async #serve(incoming, outgoing) {
    const [request, own] = this.#received(incoming, await read(incoming));
    if (own) return answer(outgoing, { headers: {}, ...own });
    const { session, method } = request;
    if (session && method === "POST") {
      const framing = framingOf(request.target, request.body);
      const packets = framing.split(request.body) ?? []; // what is malformed is passed on
      const passed = this.#sessions.up(packets, session);
      if (passed.length === 0 && packets.length > 0) return answer(outgoing, { status: 200, headers: {}, body: "ok" });
      if (!same(passed, packets)) request.body = framing.join(passed);
    }
    const polls = session && method === "GET";
    if (polls) session.polls += 1;
    const response = await this.#fetch(request, outgoing);
    if (polls) session.polls -= 1;
    if (!response) return outgoing.socket?.destroy();
    this.#mutation.response?.(response, request);
    await answer(outgoing, response);
  }

  /** Passes a request on. A poll of which nothing is passed back polls again. */
  async #fetch(request, outgoing) {
    const { session, method, target } = request;
    for (;;) {
      const response = await this.#forward(request, outgoing);
      if (!response) return undefined;
      if (session && response.status === 400 && method === "GET") this.#sessions.end(session);
      if (method !== "GET" || response.status !== 200 || !/transport=polling/.test(target)) return response;
      const polling = session ?? this.#sessions.begin(target);
      const { wire } = this.#mutation;
      const framing = framingOf(target, response.body);
      const packets = framing.split(response.body);
      const passed = [...polling.waiting.splice(0), ...this.#sessions.down(packets, polling)];
      if (passed.length === 0 && !outgoing.destroyed) continue;
      if (wire || !same(passed, packets)) response.body = framing.join(passed, wire, response.body);
      if (!session) this.#sessions.opened(polling, packets[0]);
      return response;
    }
  }

  #forward({ method, target: path, headers, body }, outgoing) {
    const { hostname: host, port } = this.#target;
    const { "transfer-encoding": _, ...kept } = flat(headers);
    if (body.length > 0 || method === "POST") kept["content-length"] = body.length;
    return new Promise((resolve) => {
      const upstream = send({ host, port, method, path, headers: kept, agent: false }, (response) => {
        const { statusCode: status } = response;
        const zipped = response.headers["content-encoding"] === "gzip";
        const received = (bytes) =>
          resolve({ status, headers: headersOf(response), zipped, body: zipped ? gunzipSync(bytes) : bytes });
        read(response)
          .then(received)
          .catch(() => resolve(undefined));
      });
      const abandon = () => upstream.destroy();
      outgoing.once("close", abandon);
      upstream.once("close", () => outgoing.off("close", abandon));
      upstream.on("error", () => resolve(undefined));
      upstream.end(body);
    });
  }
}

const same = (some, others) => some.length === others.length && some.every((packet, i) => packet === others[i]);

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
