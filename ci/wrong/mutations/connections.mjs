import { ACK, CONNECT, CONNECT_ERROR, DISCONNECT, EVENT, each, format, isEvent, matches } from "../packets.mjs";

const cases = ["connect/main", "connect/custom", "connect/twice"];
const namespaces = ["namespace/event", "namespace/independent", "connect/custom"];

const of = (type, change) => each((packet, session) => (packet.type === type ? change(packet, session) : packet));
const welcome = (namespace) => ({
  type: CONNECT,
  namespace,
  data: { sid: `welcome-${Math.random().toString(36).slice(2)}` },
});
const joined = (session) => (session.state.joined ??= new Set());

/** Keeps account of the namespaces that a client is in. */
const counting = of(CONNECT, (packet, session) => {
  joined(session).add(packet.namespace);
  return packet;
});

export const connections = {
  "CONNECT answered twice": { cases, down: of(CONNECT, (packet) => [packet, packet]) },

  "CONNECT answered without an id": { cases, down: of(CONNECT, (packet) => ({ ...packet, data: undefined })) },

  "everybody has the same id": {
    cases: ["connect/sid-unique", "connect/sid-namespaces", "rooms/own-id"],
    down: of(CONNECT, (packet) => ({ ...packet, data: { ...packet.data, sid: "everybody" } })),
  },

  "the socket's id is the session's": {
    cases: ["rooms/own-id", "connect/sid-differs", "connect/sid-secret"],
    down: of(CONNECT, (packet, { sid }) => ({ ...packet, data: { ...packet.data, sid } })),
  },

  "CONNECT answered in the main namespace": { cases, down: of(CONNECT, (packet) => ({ ...packet, namespace: "/" })) },

  "the main namespace joined unasked": {
    cases: ["connect/not-implied", "connect/silent-until-asked", "connect/main"],
    down(packet, session) {
      return !session.raw && matches(packet, /^0\{/) ? [packet, `40{"sid":"unasked"}`] : packet;
    },
  },

  "auth not taken": {
    cases: ["connect/main-payload", "connect/custom-payload", "application/auth"],
    up: of(CONNECT, (packet) => ({ ...packet, data: undefined })),
  },

  "auth of the first namespace for all": {
    cases: [
      "connect/custom-payload",
      "connect/main-payload",
      "connect/nested-payload",
      "connect/refused-again",
      "application/auth",
      "namespace/independent",
    ],
    up: of(CONNECT, (packet, { state }) => ({ ...packet, data: (state.auth ??= packet.data ?? {}) })),
  },

  "an unknown namespace accepted": {
    cases: ["connect/unknown", "connect/unknown-names", "namespace/dynamic-refused"],
    down: of(CONNECT_ERROR, (packet) =>
      packet.data?.message === "Invalid namespace" ? welcome(packet.namespace) : packet,
    ),
  },

  "a forbidden namespace accepted": {
    cases: ["connect/refused", "connect/refused-data", "connect/refused-events"],
    down: of(CONNECT_ERROR, (packet) =>
      packet.data?.message === "not authorized" ? welcome(packet.namespace) : packet,
    ),
  },

  "a refusal without data": {
    cases: ["connect/refused-data", "connect/refused"],
    down: of(CONNECT_ERROR, ({ data, ...packet }) => ({ ...packet, data: { message: data.message } })),
  },

  "a refusal as a string": {
    cases: ["connect/refused", "connect/unknown", "connect/refused-data"],
    down: of(CONNECT_ERROR, (packet) => ({ ...packet, data: packet.data.message })),
  },

  "a refusal in the main namespace": {
    cases: ["connect/refused", "connect/unknown"],
    down: of(CONNECT_ERROR, (packet) => ({ ...packet, namespace: "/" })),
  },

  "a refusal that closes the connection": {
    cases: ["connect/refused", "connect/refused-again", "connect/unknown"],
    down: of(CONNECT_ERROR, (packet, session) => {
      session.hangUp?.();
      return packet;
    }),
  },

  "a refused client gets broadcasts": {
    cases: ["connect/refused-broadcast", "connect/refused-events", "connect/refused"],
    down: each((packet, session) => {
      if (packet.type === CONNECT_ERROR) session.state.refused = packet.namespace;
      const audience = [...session.sessions.values()].filter(({ state }) => state.refused !== undefined);
      if (isEvent(packet) && packet.type === EVENT)
        audience.forEach((other) => other !== session && other.toClient(`42${other.state.refused},["leak"]`));
      return packet;
    }),
  },

  "no connectTimeout": {
    cases: ["connect/timeout", "connect/timeout-refused", "connect/timeout-joined"],
    server: ["--connect-timeout", "60"],
  },

  "connectTimeout for those who are connected": {
    cases: ["connect/timeout-joined", "connect/timeout", "connect/timeout-custom"],
    down: of(CONNECT, (packet, session) => {
      setTimeout(() => session.hangUp?.(), 1000);
      return packet;
    }),
  },

  "a second CONNECT accepted": {
    cases: ["connect/again-main", "connect/again", "connect/main"],
    up: of(CONNECT, (packet, session) => {
      if (!joined(session).has(packet.namespace)) return packet;
      session.toClient(`40${packet.namespace === "/" ? "" : `${packet.namespace},`}{"sid":"again"}`);
      return [];
    }),
    down: counting,
  },

  "packets for a namespace not joined ignored": {
    cases: ["namespace/not-joined", "namespace/not-joined-disconnect", "namespace/event"],
    should: true,
    up: each((packet, session) =>
      packet.type === CONNECT || joined(session).has(packet.namespace) ? packet : undefined,
    ),
    down: counting,
  },

  "events for a namespace not joined handled": {
    cases: ["namespace/not-joined", "namespace/event", "connect/event-first"],
    up: each((packet, session) => {
      if (!isEvent(packet) || joined(session).has(packet.namespace)) return packet;
      session.toClient(format({ type: ACK, namespace: packet.namespace, id: packet.id, data: packet.data.slice(1) }));
      return [];
    }),
    down: counting,
  },

  "events sent to the wrong namespace": {
    cases: namespaces,
    down: of(EVENT, (packet) => ({ ...packet, namespace: packet.namespace === "/" ? "/custom" : packet.namespace })),
  },

  "events without their namespace": { cases: namespaces, down: of(EVENT, (packet) => ({ ...packet, namespace: "/" })) },

  "a namespace's events sent to the main one as well": {
    cases: ["namespace/event", "namespace/independent", "broadcast/only-custom"],
    down: of(EVENT, (packet) =>
      packet.namespace === "/" || packet.data[0] === "auth" ? packet : [packet, { ...packet, namespace: "/" }],
    ),
  },

  "leaving one namespace leaves all": {
    cases: ["disconnect/by-client", "disconnect/by-client-main", "namespace/independent"],
    up: of(DISCONNECT, (packet, session) => {
      session.hangUp?.();
      return packet;
    }),
  },
};
