import { CONNECT, EVENT, each, isEvent } from "../packets.mjs";

const cases = ["recovery/missed", "recovery/again", "recovery/offered", "recovery/nothing-missed"];
const server = ["--recovery", "60"];

/** Events that come to a client before it is told that it is connected. */
const missed = (change) =>
  each((packet, session) => {
    if (packet.type === CONNECT) session.state.connected = true;
    return isEvent(packet) && packet.type === EVENT && !session.state.connected ? change(packet, session) : packet;
  });

export const recovery = {
  "no offsets": {
    cases,
    server,
    down: each((packet) =>
      packet.type === EVENT && isEvent(packet) ? { ...packet, data: packet.data.slice(0, -1) } : packet,
    ),
  },

  "what was missed sent twice": { cases, server, down: missed((event) => [event, event]) },

  "what was missed not sent": { cases, server, down: missed(() => undefined) },

  "another socket id after a recovery": {
    cases,
    server,
    down: each((packet) =>
      packet.type === CONNECT
        ? { ...packet, data: { ...packet.data, sid: `other-${Math.random().toString(36).slice(2)}` } }
        : packet,
    ),
  },

  "no private id": {
    cases,
    server,
    down: each((packet) => (packet.type === CONNECT && packet.data ? { ...packet, data: { sid: packet.data.sid } } : packet)),
  },

  "every claim of a private id believed": {
    cases: ["recovery/unknown", "recovery/again", "recovery/offered"],
    server,
    up: each((packet, { state }) => {
      if (packet.type === CONNECT && packet.data?.pid) state.claimed = packet.data.pid;
      return packet;
    }),
    down: each((packet, { state }) =>
      packet.type === CONNECT && state.claimed ? { ...packet, data: { ...packet.data, pid: state.claimed } } : packet,
    ),
  },

  "no recovery although it is offered": {
    cases,
    server,
    up: each((packet) => (packet.type === CONNECT && packet.data?.pid ? { ...packet, data: {} } : packet)),
  },
};
