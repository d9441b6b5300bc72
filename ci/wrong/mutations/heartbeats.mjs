import { matches } from "../packets.mjs";

const cases = ["heartbeat/ping", "heartbeat/interval", "heartbeat/no-pong"];

export const heartbeats = {
  "ping not enforced": {
    cases: ["heartbeat/no-pong", "heartbeat/no-pong-later", "heartbeat/ping"],
    down(packet, session) {
      if (packet === "2") session.toServer("3");
      return packet;
    },
    up: (packet) => (matches(packet, /^3/) ? [] : packet),
  },

  "no pings": {
    cases,
    down(packet, session) {
      if (packet !== "2") return packet;
      session.toServer("3");
      return [];
    },
  },

  "every second ping missing": {
    cases,
    down(packet, session) {
      if (packet !== "2") return packet;
      session.state.pings = (session.state.pings ?? 0) + 1;
      if (session.state.pings % 2) return packet;
      session.toServer("3");
      return [];
    },
  },

  "a ping right after the handshake": { cases, down: (packet) => (matches(packet, /^0\{/) ? [packet, "2"] : packet) },

  "pings sent twice": { cases, down: (packet) => (packet === "2" ? ["2", "2"] : packet) },

  "a longer pingInterval announced than kept": {
    should: true,
    cases,
    open: (handshake) => ({ ...handshake, pingInterval: 2 * handshake.pingInterval }),
  },

  "pings later than announced": {
    cases,
    open: (handshake) => ({
      ...handshake,
      pingInterval: handshake.pingInterval / 6,
      pingTimeout: handshake.pingTimeout / 6,
    }),
  },

  "a longer pingTimeout announced than kept": {
    cases: ["heartbeat/no-pong", "heartbeat/no-pong-later", "heartbeat/interval"],
    open: (handshake) => ({ ...handshake, pingTimeout: 4 * handshake.pingTimeout }),
  },

  "pings with data": { cases, down: (packet) => (packet === "2" ? "2probe" : packet) },

  "any packet counts as a pong": {
    cases: ["heartbeat/messages", "heartbeat/no-pong", "close/posts-are-no-pong"],
    up(packet, session) {
      if (matches(packet, /^4/)) session.toServer("3");
      return packet;
    },
  },

  "the client's pings answered": {
    cases: ["packet/ping-from-client", "packet/ping-from-client-polling", "packet/stray-noop"],
    up(packet, session) {
      if (packet !== "2") return packet;
      session.toClient("3");
      return [];
    },
  },
};
