import { DISCONNECT, each, matches } from "../packets.mjs";

const cases = ["disconnect/by-server", "disconnect/by-client", "disconnect/by-server-main"];
const close = ["close/by-client", "close/by-client-polling", "close/by-server"];

export const ends = {
  "the server's DISCONNECT not sent": {
    cases,
    down: each((packet) => (packet.type === DISCONNECT ? undefined : packet)),
  },

  "the server's DISCONNECT sent twice": {
    cases,
    down: each((packet) => (packet.type === DISCONNECT ? [packet, packet] : packet)),
  },

  "the server's DISCONNECT in the main namespace": {
    cases: ["disconnect/by-server", "disconnect/by-server-main", "last-words/namespace"],
    down: each((packet) => (packet.type === DISCONNECT ? { ...packet, namespace: "/" } : packet)),
  },

  "the client's DISCONNECT answered": {
    cases: ["disconnect/by-client", "disconnect/by-client-main", "disconnect/by-client-no-comma"],
    up: each((packet, session) => {
      if (packet.type === DISCONNECT) session.toClient(`41${packet.namespace === "/" ? "" : `${packet.namespace},`}`);
      return packet;
    }),
  },

  "the last word lost": {
    cases: ["last-words/main", "last-words/many", "last-words/namespace"],
    batch(packets) {
      const end = packets.findIndex((packet) => matches(packet, /^41/));
      return packets.filter((packet, i) => i !== end - 1 || !matches(packet, /^42/));
    },
  },

  "last words behind DISCONNECT": {
    cases: ["last-words/main", "last-words/many", "last-words/namespace"],
    batch(packets) {
      const isEnd = (packet) => matches(packet, /^41/);
      return [...packets.filter(isEnd), ...packets.filter((packet) => !isEnd(packet))];
    },
  },

  "disconnect-me closes the connection too": {
    cases: ["disconnect/by-server-main", "disconnect/by-server", "disconnect/by-server-default"],
    up: each((packet) =>
      packet.data?.[0] === "disconnect-me" && packet.data[1] !== true
        ? { ...packet, data: ["disconnect-me", true] }
        : packet,
    ),
  },

  "a disconnected client's connection stays open": {
    cases: ["disconnect/close", "disconnect/close-custom", "close/by-server"],
    up: each((packet) =>
      packet.data?.[1] === true && packet.data[0] === "disconnect-me"
        ? { ...packet, data: ["disconnect-me", false] }
        : packet,
    ),
  },

  "a session that ended is still polled": {
    cases: ["close/by-client-polling", "close/by-server-polling", "close/new-session"],
    response(response, { session, method }) {
      if (response.status !== 400 || !session || method !== "GET") return;
      Object.assign(response, { status: 200, body: "6", after: 100 });
      response.headers["content-type"] = ["text/plain; charset=UTF-8"];
    },
  },

  "a session that ended still takes packets": {
    cases: ["close/by-client-polling", "close/by-server-polling", "close/unpolled", "close/behind-messages"],
    response(response, { session, method }) {
      if (response.status === 400 && session && method === "POST") Object.assign(response, { status: 200, body: "ok" });
    },
  },

  "a close packet is ignored": {
    cases: ["close/by-client", "close/by-client-polling", "close/pending-get"],
    up: (packet) => (packet === "1" ? [] : packet),
  },

  "the server's end of a WebSocket comes late": {
    cases: ["heartbeat/no-pong", "close/by-server", "disconnect/close"],
    ended: () => 2500,
  },
};
