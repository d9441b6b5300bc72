import { ACK, EVENT, each, isEvent, matches, parse } from "../packets.mjs";

const cases = ["event/message", "event/kinds", "event/unicode", "event/many-args"];
const order = ["order/burst", "order/pipelined", "order/room", "order/payload"];

/** Plain events of the server, changed. */
const plain = (change) =>
  each((packet, session) =>
    packet.type === EVENT && packet.id === undefined && isEvent(packet) ? change(packet, session) : packet,
  );

/** What stands in the strings of a value, changed. */
function strings(value, change) {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((item) => strings(item, change));
  if (value && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, strings(item, change)]));
  return value;
}

/** Which packets of a batch may change places: plain events. */
const isPlain = (packet) => typeof packet === "string" && packet.startsWith("42");

export const events = {
  "two packets swapped": {
    cases: ["order/burst", "order/pipelined", "order/room"],
    batch(packets) {
      const first = packets.findIndex((packet, i) => isPlain(packet) && isPlain(packets[i + 1]));
      if (first >= 0) [packets[first], packets[first + 1]] = [packets[first + 1], packets[first]];
      return packets;
    },
  },

  "a burst backwards": {
    cases: order,
    batch(packets) {
      const backwards = packets.filter(isPlain).reverse();
      return packets.map((packet) => (isPlain(packet) ? backwards.shift() : packet));
    },
  },

  "one event of a burst lost": {
    cases: order,
    down: plain((event) => (event.data[1] === 3 ? undefined : event)),
  },

  "one event of a burst sent twice": {
    cases: order,
    down: plain((event) => (event.data[1] === 1 ? [event, event] : event)),
  },

  "events lose their last argument": {
    cases,
    down: plain((event) => ({ ...event, data: event.data.length > 1 ? event.data.slice(0, -1) : event.data })),
  },

  "events with a null behind their arguments": {
    cases,
    down: plain((event) => ({ ...event, data: [...event.data, null] })),
  },

  "text that is not ASCII broken": {
    cases,
    down: plain((event) => ({ ...event, data: strings(event.data, (text) => text.replaceAll(/[^\x00-\x7f]/g, "?")) })),
  },

  "text beyond the basic plane broken": {
    cases,
    down: plain((event) => ({
      ...event,
      data: strings(event.data, (text) => text.replaceAll(/[\ud800-\udfff]/g, "\ufffd")),
    })),
  },

  "spaces around text trimmed": {
    cases: ["event/spaces", "event/escapes", "event/kinds"],
    down: plain((event) => ({ ...event, data: strings(event.data, (text) => text.trim()) })),
  },

  "numbers as strings": {
    cases: ["event/kinds", "event/numbers", "event/message"],
    down: plain((event) => ({
      ...event,
      data: event.data.map((value, i) => (i > 0 && typeof value === "number" ? String(value) : value)),
    })),
  },

  "null left out of objects": {
    cases: ["event/kinds", "event/keys", "event/deep"],
    down: plain((event) => ({
      ...event,
      data: JSON.parse(
        JSON.stringify(event.data, (key, value) => (key && !/^\d+$/.test(key) && value === null ? undefined : value)),
      ),
    })),
  },

  "long text cut": {
    cases: ["event/large", "event/message"],
    down: plain((event) => ({ ...event, data: strings(event.data, (text) => text.slice(0, 60_000)) })),
  },

  "a client's event connect connects again": {
    cases: ["event/reserved", "event/reserved-custom", "event/not-reserved"],
    up: each((packet, session) => {
      if (packet.data?.[0] !== "connect") return packet;
      session.toClient('42["auth",{}]');
      return [];
    }),
  },

  "a client's event disconnect disconnects": {
    cases: ["event/reserved", "event/reserved-custom", "event/not-reserved"],
    up: each((packet) => (packet.data?.[0] === "disconnect" ? { ...packet, data: ["disconnect-me"] } : packet)),
  },

  "malformed packets ignored": {
    cases: ["malformed/json", "malformed/type", "malformed/truncated"],
    up: (packet, session) =>
      session.raw || typeof packet !== "string" || !packet.startsWith("4") || parse(packet) ? packet : [],
  },

  "an unknown ack closes the connection": {
    cases: ["ack/unknown", "ack/data"],
    up: each((packet, session) => (packet.type === ACK && Number(packet.id) > 100 ? ["48"] : packet)),
  },

  "volatile events kept for the next poll": {
    cases: ["volatile/dropped", "volatile/delivered", "volatile/delivered-poll"],
    up: each((packet, { sid }) => {
      if (packet.data?.[0] !== "volatile") return packet;
      const room = `kept-${sid}`;
      return [
        { ...packet, type: EVENT, id: undefined, count: undefined, data: ["join", room] },
        { ...packet, data: ["in", room, ...packet.data.slice(1)] },
      ];
    }),
  },

  "volatile events always dropped": {
    cases: ["volatile/delivered", "volatile/all", "volatile/dropped"],
    up: each((packet) => (/^volatile/.test(packet.data?.[0]) ? { ...packet, data: ["burst", 0, "nothing"] } : packet)),
  },

  "messages of Engine.IO changed": {
    cases: ["engine/text", "engine/order", "engine/mixed"],
    down: (packet, session) => (session.raw && matches(packet, /^4/) ? packet.replace(/.$/s, "") : packet),
  },
};
