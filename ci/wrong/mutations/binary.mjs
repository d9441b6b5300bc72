import { each, isAck, matches, parse } from "../packets.mjs";

const cases = ["binary/event", "binary/ack", "binary/emit", "binary/nested"];

/** The attachments of the server, changed; raw sessions are left alone. */
const attachments = (change) => (packet, session) =>
  Buffer.isBuffer(packet) && !session.raw ? change(packet, session) : packet;

const placeholders = (text, change) =>
  text.replaceAll(/"num":(\d+)/g, (_, number) => `"num":${change(Number(number))}`);

/** The headers of packets with attachments, changed as text. */
const headers = (change) => (packet, session) =>
  !session.raw && matches(packet, /^4[56]\d+-/) ? change(packet) : packet;

export const binary = {
  "an attachment dropped": {
    cases,
    down: attachments((packet, { state }) => {
      state.attachments = (state.attachments ?? 0) + 1;
      return state.attachments === 1 ? [] : packet;
    }),
  },

  "attachments changed": {
    cases,
    down: attachments((packet) =>
      packet.length > 0 ? Buffer.concat([Buffer.from([packet[0] ^ 1]), packet.subarray(1)]) : packet,
    ),
  },

  "attachments cut": {
    cases: ["binary/bytes", "binary/event", "binary/emit"],
    down: attachments((packet) => packet.subarray(0, 1)),
  },

  "attachments exchanged": {
    cases: ["binary/several", "binary/ten", "binary/event"],
    batch(packets) {
      const first = packets.findIndex((packet, i) => Buffer.isBuffer(packet) && Buffer.isBuffer(packets[i + 1]));
      if (first >= 0) [packets[first], packets[first + 1]] = [packets[first + 1], packets[first]];
      return packets;
    },
  },

  "placeholders exchanged": {
    cases: ["binary/several", "binary/ten", "binary/event"],
    down: headers((text) => placeholders(text, (number) => (number < 2 ? 1 - number : number))),
  },

  "placeholders counted from one": { cases, down: headers((text) => placeholders(text, (number) => number + 1)) },

  "one attachment too many announced": {
    cases,
    down: headers((text) => text.replace(/^(4[56])(\d+)/, (_, type, count) => `${type}${Number(count) + 1}`)),
  },

  "attachments before their packet": {
    cases,
    batch(packets) {
      const head = packets.findIndex((packet, i) => matches(packet, /^4[56]\d+-/) && Buffer.isBuffer(packets[i + 1]));
      if (head >= 0) [packets[head], packets[head + 1]] = [packets[head + 1], packets[head]];
      return packets;
    },
  },

  "attachments as base64 in text frames": {
    cases,
    down: (packet, session) =>
      Buffer.isBuffer(packet) && session.webSocket && !session.raw ? `b${packet.toString("base64")}` : packet,
  },

  "base64 with the URL's alphabet": {
    cases: ["binary/bytes", "polling/base64", "polling/mixed-payload"],
    response(response) {
      response.body = Buffer.from(
        response.body
          .toString("latin1")
          .replaceAll(/(?<=(?:^|\x1e)b)[^\x1e]*/g, (text) => text.replaceAll("+", "-").replaceAll("/", "_")),
        "latin1",
      );
    },
  },

  "base64 without padding": {
    cases: ["binary/bytes", "polling/base64", "polling/mixed-payload"],
    response(response) {
      response.body = Buffer.from(
        response.body.toString("latin1").replaceAll(/(?<=(?:^|\x1e)b)[^\x1e]*/g, (text) => text.replaceAll("=", "")),
        "latin1",
      );
    },
  },

  "binary acks of the type of plain ones": {
    cases: ["binary/ack", "binary/event", "binary/plain-ack"],
    down: headers((text) => text.replace(/^46\d+-/, "43")),
  },

  "more attachments taken than allowed": {
    cases: ["binary/too-many-malformed", "binary/ten"],
    should: true,
    up(packet, { state }) {
      const count = Number(parse(packet)?.count ?? 0);
      if (count > 10) state.surplus = count;
      else if (!state.surplus || !Buffer.isBuffer(packet)) return packet;
      else state.surplus -= 1;
      return [];
    },
  },

  "a stray attachment ignored": {
    should: true,
    cases: ["binary/stray-malformed", "binary/stray-behind-malformed", "binary/event"],
    up(packet, session) {
      if (session.raw) return packet;
      const due = (session.state.due ??= { count: 0 });
      if (Buffer.isBuffer(packet)) return due.count > 0 ? (due.count--, packet) : [];
      due.count = Number(parse(packet)?.count ?? 0);
      return packet;
    },
  },

  "binary acks of clients not understood": {
    cases: ["binary/ask", "binary/event", "ask/answer"],
    up: each((packet) => (isAck(packet) && packet.count !== undefined ? { ...packet, id: 9999 } : packet)),
  },

  "binary messages of Engine.IO echoed as text": {
    cases: ["engine/binary", "engine/mixed", "engine/text"],
    down: (packet, session) => (session.raw && Buffer.isBuffer(packet) ? `4${packet.toString("latin1")}` : packet),
  },
};
