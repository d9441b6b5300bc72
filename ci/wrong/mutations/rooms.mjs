import { ACK, CONNECT, DISCONNECT, each, isAck, isEvent } from "../packets.mjs";

const cases = ["rooms/to", "rooms/in", "rooms/list"];
const broadcasts = ["broadcast/all-but-sender", "broadcast/all", "broadcast/data"];

/** The application's events, told as others. */
const told = (name, change) =>
  each((packet) => (isEvent(packet) && packet.data[0] === name ? { ...packet, data: change(packet.data) } : packet));
const as = (name, other) => told(name, ([, ...args]) => [other, ...args]);
const withoutRoom = (name, other) => told(name, ([, , ...args]) => [other, ...args]);

/** What stands before a packet's data. */
const prefix = (namespace) => (namespace === "/" ? "" : `${namespace},`);

/** How many rooms with the name have been counted. */
let departed = 0;

export const rooms = {
  "a broadcast includes the sender": { cases: broadcasts, up: as("broadcast", "all") },

  "an event for all leaves the sender out": { cases: broadcasts, up: as("all", "broadcast") },

  "a broadcast reaches nobody": { cases: broadcasts, up: told("broadcast", () => ["burst", 0, "nothing"]) },

  "a room's event includes the sender": { cases, up: as("to", "in") },

  "a room's event leaves the sender out": { cases, up: as("in", "to") },

  "a room's event reaches everybody": {
    cases: ["rooms/to", "rooms/outsider", "rooms/several"],
    up: withoutRoom("to", "broadcast"),
  },

  "except is ignored": {
    cases: ["rooms/except", "rooms/except-namespace", "rooms/to"],
    up: withoutRoom("except", "all"),
  },

  "except leaves the sender out": {
    cases: ["rooms/except", "rooms/except-sender", "rooms/to"],
    up: as("except", "to"),
  },

  "join does not join": {
    cases,
    up: each((packet, { state }) => {
      if (packet.data?.[0] !== "join" || packet.id === undefined) return packet;
      (state.joins ??= new Map()).set(`${packet.namespace}${packet.id}`, packet.data[1]);
      return { ...packet, data: ["message-with-ack", [packet.data[1]]] };
    }),
  },

  "a room that was left still receives": {
    cases: ["rooms/leave", "rooms/list", "rooms/leave-other"],
    up: each((packet, { state }) => {
      if (packet.data?.[0] !== "leave" || packet.id === undefined) return packet;
      (state.left ??= new Map()).set(`${packet.namespace}${packet.id}`, String(packet.data[1]));
      return { ...packet, data: ["leave", "a room that nobody has"] };
    }),
    down: each((packet, { state }) => {
      const left = isAck(packet) && state.left?.get(`${packet.namespace}${packet.id}`);
      return left ? { ...packet, data: [packet.data[0].filter((room) => room !== left)] } : packet;
    }),
  },

  "a room left on disconnect still receives": {
    cases: ["disconnect/by-client", "lifecycle/left", "disconnect/by-client-main", "rooms/rejoined-namespace"],
    up: each((packet) => (packet.type === DISCONNECT ? undefined : packet)),
  },

  "rooms survive leaving the namespace": {
    cases: ["rooms/rejoined-namespace", "lifecycle/left", "disconnect/by-server-rooms"],
    up: each((packet, { state }) => {
      if (packet.data?.[0] === "join") ((state.rooms ??= {})[packet.namespace] ??= []).push(packet.data[1]);
      return packet;
    }),
    down: each((packet, session) => {
      if (packet.type === CONNECT) {
        for (const room of session.state.rooms?.[packet.namespace] ?? [])
          session.toServer(`42${prefix(packet.namespace)}${JSON.stringify(["join", room])}`);
      }
      return packet;
    }),
  },

  "the list of rooms holds the own id": {
    cases,
    down: each((packet, { state }) => {
      if (packet.type === CONNECT) state.id = packet.data?.sid;
      const isList = packet.type === ACK && packet.data.length === 1 && Array.isArray(packet.data[0]);
      return isList ? { ...packet, data: [[...packet.data[0], state.id]] } : packet;
    }),
  },

  "who is gone still counts": {
    cases: ["lifecycle/left", "lifecycle/disconnected", "lifecycle/closed"],
    down: each((packet) => (packet.type === ACK && packet.data[0] === 0 ? { ...packet, data: [1] } : packet)),
  },

  "a client that has left joins the room departed": {
    cases: ["lifecycle/departed", "lifecycle/departed-left", "lifecycle/departed-disconnected"],
    up: each((packet) =>
      packet.data?.[0] === "count" && packet.data[1] === "departed"
        ? { ...packet, data: ["message-with-ack", departed++] }
        : packet,
    ),
  },

  "broadcasts not sent between two polls": {
    cases: ["broadcast/between-polls", "broadcast/all-but-sender", "broadcast/transports"],
    up: as("broadcast", "volatile-all"),
  },
};
