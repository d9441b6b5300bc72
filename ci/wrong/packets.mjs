// Packets of Engine.IO 3 and 4 and Socket.IO 4 and 5, as far as the mutations look into them. A packet is a string with its
// type digit in front, or a Buffer where it is binary.

const SHAPE = /^4([0-6])(?:(\d+)-)?(?:(\/[^,]*),?)?(\d+)?(.*)$/s;

export const CONNECT = "0";
export const DISCONNECT = "1";
export const EVENT = "2";
export const ACK = "3";
export const CONNECT_ERROR = "4"; // ERROR in Socket.IO 4
export const BINARY_EVENT = "5";
export const BINARY_ACK = "6";

/** The Socket.IO packet in a text; `undefined` where it is none. */
export function parse(text) {
  const [, type, count, namespace = "/", id, json] = (typeof text === "string" && SHAPE.exec(text)) || [];
  if (type === undefined) return undefined;
  try {
    return { type, count, namespace, id, data: json === "" ? undefined : JSON.parse(json) };
  } catch {
    return undefined;
  }
}

export function format({ type, count, namespace, id, data }) {
  const json = data === undefined ? "" : JSON.stringify(data);
  return `4${type}${count === undefined ? "" : `${count}-`}${namespace === "/" ? "" : `${namespace},`}${id ?? ""}${json}`;
}

/** A hook that looks at Socket.IO packets, and lets everything else pass. It may change the packet that it is given. */
export function each(change) {
  return (packet, session) => {
    const parsed = session.raw ? undefined : parse(packet);
    if (!parsed) return packet;
    const before = format(parsed);
    const result = change(parsed, session, packet);
    if (result === undefined) return [];
    const text = (one) => (format(one) === before ? packet : format(one)); // it may be written in another way
    return [result].flat().map((one) => (typeof one === "object" && !Buffer.isBuffer(one) ? text(one) : one));
  };
}

export const matches = (packet, pattern) => typeof packet === "string" && pattern.test(packet);
export const isEvent = (packet) =>
  (packet.type === EVENT || packet.type === BINARY_EVENT) && Array.isArray(packet.data);
export const isAck = (packet) => packet.type === ACK || packet.type === BINARY_ACK;
