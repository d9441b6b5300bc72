import { ACK, EVENT, each, isAck, isEvent, matches } from "../packets.mjs";

const cases = ["ack/data", "ack/ids", "ack/many"];
const asking = ["ask/answer", "ask/ids", "ask/in-time"];

/** Acknowledgements of the server, changed. */
const acks = (change) => each((packet, session) => (isAck(packet) ? change(packet, session) : packet));

/** Questions that the server asks: events with an id. */
const questions = (change) =>
  each((packet, session) => (isEvent(packet) && packet.id !== undefined ? change(packet, session) : packet));

export const acknowledgements = {
  "acks with the wrong id": { cases, down: acks((ack) => ({ ...ack, id: Number(ack.id) + 1 })) },

  "acks without an id": { cases, down: acks((ack) => ({ ...ack, id: undefined })) },

  "acks lose an argument": { cases, down: acks((ack) => ({ ...ack, data: ack.data.slice(0, -1) })) },

  "acks that are no list": { cases, down: acks((ack) => ({ ...ack, data: ack.data[0] ?? {} })) },

  "acks sent twice": {
    cases: ["ack/data", "ack/empty", "ack/many"],
    down: acks((ack) => (ack.type === ACK ? [ack, ack] : ack)),
  },

  "empty acks not sent": {
    cases: ["ack/empty", "ack/after-work", "ack/data"],
    down: acks((ack) => (ack.data.length === 0 ? undefined : ack)),
  },

  "acks without their namespace": {
    cases: ["ack/namespace", "ack/namespaces", "ack/data"],
    down: acks((ack) => ({ ...ack, namespace: "/" })),
  },

  "acks as events": {
    cases,
    down: acks((ack) => (ack.type === ACK ? { ...ack, type: EVENT, data: ["ack", ...ack.data] } : ack)),
  },

  "acks before the work is done": {
    cases: ["ack/after-work", "ack/data", "order/burst"],
    batch: (packets) =>
      packets.filter((packet) => matches(packet, /^43/)).concat(packets.filter((packet) => !matches(packet, /^43/))),
  },

  "acks to another client": {
    cases: ["ack/clients", "ack/data", "rooms/to"],
    down(packet, session) {
      if (session.raw || !matches(packet, /^43/)) return packet;
      const others = [...session.sessions.values()].filter((other) => other !== session && !other.raw && !other.ended);
      if (others.length === 0) return packet;
      others.at(-1).toClient(packet);
      return [];
    },
  },

  "a second answer is taken": {
    cases: ["ask/twice", "ask/answer"],
    up: each((packet, session) => {
      if (!isAck(packet)) return packet;
      const seen = (session.state.answered ??= new Set());
      const key = `${packet.namespace} ${packet.id}`;
      if (!seen.has(key)) return seen.add(key) && packet;
      session.toClient(
        `42${packet.namespace === "/" ? "" : `${packet.namespace},`}${JSON.stringify(["answer", ...packet.data])}`,
      );
      return [];
    }),
  },

  "an answer after its timeout is taken": {
    cases: ["ask/timeout", "ask/in-time"],
    down: each((packet, session) => {
      if (packet.data?.[0] === "answer-timeout") session.state.timedOut = true;
      return packet;
    }),
    up: each((packet, session) => {
      if (isAck(packet) && session.state.timedOut) session.toClient(`42${JSON.stringify(["answer", ...packet.data])}`);
      return packet;
    }),
  },

  "questions without an id": { cases: asking, down: questions((question) => ({ ...question, id: undefined })) },

  "all questions with one id": {
    cases: ["ask/ids", "ask/pending", "ask/answer"],
    down: questions((question, session) => {
      session.state.last = question.id;
      return { ...question, id: "7" };
    }),
    up: each((packet, session) =>
      isAck(packet) && packet.id === "7" ? { ...packet, id: session.state.last } : packet,
    ),
  },

  "answers lose an argument": {
    cases: asking,
    down: each((packet) =>
      packet.data?.[0] === "answer" && packet.data.length > 1 ? { ...packet, data: packet.data.slice(0, -1) } : packet,
    ),
  },
};
