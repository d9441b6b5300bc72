// Servers of Engine.IO 3 with one thing wrong: what only this generation has, and what it has in common with the next.

import { CONNECT, each, matches } from "../packets.mjs";
import { acknowledgements } from "./acknowledgements.mjs";
import { binary } from "./binary.mjs";
import { connections } from "./connections.mjs";
import { events } from "./events.mjs";
import { rooms } from "./rooms.mjs";
import { upgrades } from "./upgrades.mjs";

const attachments = ["binary/event", "binary/ack", "binary/emit", "polling-b64/bytes", "jsonp/bytes"];
const text = ["event/unicode", "event/lengths", "polling/length", "polling/utf-8"];
const scripts = ["jsonp/quotes", "jsonp/backslashes", "jsonp/newline", "jsonp/separators", "jsonp/event"];
const queries = ["connect/query", "connect/query-decoded", "connect/query-clients", "application/query-of-namespace"];

const typed = (packet) => Buffer.isBuffer(packet);

/** The polling answers to a session's requests by script, changed. */
const calls = (change) => (response, { method, target }) => {
  if (method === "GET" && response.status === 200 && /[?&]j=/.test(target))
    response.body = Buffer.from(change(response.body.toString()));
};

/** Pings for the client; of the answers it hears nothing. */
function keepAlive(session) {
  const timer = setInterval(() => {
    if (session.ended) return clearInterval(timer);
    session.state.pings = (session.state.pings ?? 0) + 1;
    session.toServer("2");
  }, 300).unref();
}

const own = {
  "a binary message without its type": { cases: attachments, wire: { untyped: true } },

  "lengths of texts in bytes": { cases: text, wire: { length: (packet) => Buffer.byteLength(packet) } },

  "lengths of texts in code points": { cases: text, wire: { length: (packet) => [...packet].length } },

  "lengths of bytes in code units": {
    should: true,
    cases: ["polling/octet-length", "polling/octet-text"],
    wire: { units: true },
  },

  "scripts without escapes": { cases: scripts, wire: { quote: (payload) => `"${payload}"` } },

  "line separators in scripts": {
    cases: ["jsonp/separators", "jsonp/quotes"],
    wire: { quote: (payload) => JSON.stringify(payload) },
  },

  "scripts that call another function": { cases: ["jsonp/index", "jsonp/event", "handshake/jsonp"], wire: { index: 77 } },

  "payloads where scripts are asked for": {
    cases: ["jsonp/framing", "jsonp/event", "handshake/jsonp"],
    response: calls((body) => JSON.parse(body.slice(body.indexOf("(") + 1, body.lastIndexOf(")")))),
  },

  "a field's line feeds not unescaped": {
    cases: ["jsonp/newline", "jsonp/line-ends", "jsonp/post"],
    request(request) {
      if (request.method === "POST" && /[?&]j=/.test(request.target))
        request.body = Buffer.from(request.body.toString().replaceAll("%5Cn", "%5C%5Cn"));
    },
  },

  "base64 not given where it is asked for": {
    cases: ["polling-b64/bytes", "polling-b64/type", "binary/polling-b64-framing"],
    request(request) {
      request.target = request.target.replace(/[?&]b64=1/, (found) => (found[0] === "?" ? "?" : ""));
    },
  },

  "base64 in text frames not asked for": {
    cases: ["websocket/binary-frames", "websocket/attachment", "binary/event"],
    down: (packet, session) => (typed(packet) && session.webSocket ? `b4${packet.toString("base64")}` : packet),
  },

  "a ping sent by the server": {
    cases: ["heartbeat/order", "heartbeat/ping", "connect/main", "heartbeat/lifetime"],
    down: (packet) => (packet === "40" ? [packet, "2"] : packet),
  },

  "pings not answered": {
    cases: ["heartbeat/ping", "heartbeat/polling", "heartbeat/pong-data"],
    down: (packet) => (matches(packet, /^3(?!probe)/) ? [] : packet),
  },

  "the main namespace not joined by itself": {
    cases: ["connect/main", "connect/handshake-polling", "connect/handshake-websocket"],
    down: (packet) => (packet === "40" ? [] : packet),
  },

  "the main namespace joined where there is none": {
    cases: ["handshake/silent", "handshake/polling", "upgrade/engine"],
    down: (packet, session) => (session.raw && matches(packet, /^0\{/) ? [packet, "40"] : packet),
  },

  "the greeting before the namespace is joined": {
    should: true,
    cases: ["connect/order", "connect/custom"],
    down: each((packet, { state }, text) => {
      if (packet.type === CONNECT) return void (state.joined = text);
      return packet.data?.[0] === "auth" ? [text, state.joined] : text;
    }),
  },

  "the query of a namespace dropped": {
    cases: queries,
    up: (packet) => (matches(packet, /^40\//) ? packet.replace(/\?[^,]*/, "") : packet),
  },

  "the query of a namespace given back": {
    cases: ["connect/query", "connect/query-no-comma"],
    down: each((packet) =>
      packet.type === CONNECT && packet.namespace !== "/"
        ? { ...packet, namespace: `${packet.namespace}?a=b` }
        : packet,
    ),
  },

  "a refusal as an object": {
    should: true,
    cases: ["connect/refused", "connect/unknown"],
    down: each((packet) => (typeof packet.data === "string" ? { ...packet, data: { message: packet.data } } : packet)),
  },

  "silent clients kept": {
    cases: ["heartbeat/silent", "heartbeat/silent-later", "heartbeat/ping"],
    down(packet, session) {
      if (matches(packet, /^0\{/)) keepAlive(session);
      if (packet !== "3" || !session.state.pings) return packet;
      session.state.pings -= 1;
      return [];
    },
  },

  "payloads of any size taken": {
    cases: ["limit/polling-beyond", "limit/polling-chunked", "limit/websocket-beyond", "limit/jsonp"],
    server: ["--max-payload", "50000000"],
  },
};

/** The same mistakes as in Engine.IO 4, with the cases of this generation. */
const shared = [
  [acknowledgements, "acks with the wrong id"],
  [acknowledgements, "questions without an id"],
  [binary, "an attachment dropped"],
  [binary, "attachments exchanged"],
  [connections, "CONNECT answered twice", ["connect/main", "connect/custom", "connect/handshake-websocket"]],
  [connections, "events sent to the wrong namespace", ["namespace/event", "namespace/independent", "connect/custom"]],
  [events, "two packets swapped", ["order/burst", "order/pipelined", "order/room"]],
  [rooms, "a broadcast includes the sender"],
  [rooms, "a room left on disconnect still receives"],
  [upgrades, "a packet lost during the upgrade", ["upgrade/burst", "order/upgrade-burst", "order/upgrade-pipelined"]],
  [upgrades, "the probe answered by a plain pong", ["upgrade/websocket", "upgrade/burst"]],
];

const all = {
  ...own,
  ...Object.fromEntries(shared.map(([from, name, cases = from[name].cases]) => [name, { ...from[name], cases }])),
};

export const eio3 = Object.fromEntries(
  Object.entries(all).map(([name, mutation]) => [`Engine.IO 3: ${name}`, { ...mutation, generation: "eio3" }]),
);
