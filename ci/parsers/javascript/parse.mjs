// Answers the requests of `sio-conformance codec` (docs/codec.md) with engine.io-parser and socket.io-parser.

import { createInterface } from "node:readline";
import { decodePacket, decodePayload, encodePacket, encodePayload } from "engine.io-parser";
import { Decoder, Encoder } from "socket.io-parser";

const TYPES = ["connect", "disconnect", "event", "ack", "connect-error", "binary-event", "binary-ack"];
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const bytes = (text) => Buffer.from(text, "hex");

// Replaces values within a value, from above: binary data by its notation, and back.
const walk = (value, swap) => {
  const swapped = swap(value);
  if (swapped !== value || value === null || typeof value !== "object") return swapped;
  if (Array.isArray(value)) return value.map((item) => walk(item, swap));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, swap)]));
};
const noted = (value) => walk(value, (it) => (Buffer.isBuffer(it) ? { $binary: hex(it) } : it));
const binary = (value) => walk(value, (it) => (typeof it?.$binary === "string" ? bytes(it.$binary) : it));

const checked = (packet) => {
  if (packet.type === "error") throw new Error(packet.data);
  return packet;
};
const written = (packet) => new Promise((done) => encodePacket(packet, false, done));
const socketPacket = (encoded, attachments) => {
  const packets = [];
  const decoder = new Decoder();
  decoder.on("decoded", (packet) => packets.push(packet));
  for (const part of [encoded, ...attachments]) decoder.add(part);
  if (packets.length !== 1) return undefined;
  const { type, nsp, id, data } = packets[0];
  return { type: TYPES[type], namespace: nsp === "/" ? undefined : nsp, id, data: noted(data) };
};
const socketText = ({ type, namespace, ...rest }) =>
  new Encoder().encode({ type: TYPES.indexOf(type), nsp: namespace ?? "/", ...rest, data: binary(rest.data) });

const LAYERS = {
  "eio4/packet": {
    decode: ({ encoded }) => encoded !== undefined && checked(decodePacket(encoded)),
    encode: ({ decoded }) => written(decoded).then((encoded) => ({ encoded })),
  },
  "eio4/payload": {
    decode: async ({ encoded }) => {
      if (encoded === undefined) return undefined;
      const packets = decodePayload(encoded, "nodebuffer").map(checked);
      return Promise.all(packets.map((it) => (Buffer.isBuffer(it.data) ? { hex: hex(it.data) } : written(it))));
    },
    encode: ({ decoded }) => {
      const packet = (it) => (it.hex === undefined ? decodePacket(it) : { type: "message", data: bytes(it.hex) });
      return new Promise((done) => encodePayload(decoded.map(packet), (encoded) => done({ encoded })));
    },
  },
  "sio5/packet": {
    // It has no packet without its attachments.
    decode: ({ encoded }) => socketPacket(encoded, []),
    encode: ({ decoded }) => ({ encoded: socketText(decoded)[0] }),
  },
  "sio5/binary": {
    decode: ({ encoded, attachmentsHex = [] }) => {
      const packet = socketPacket(encoded, attachmentsHex.map(bytes));
      if (!packet) throw new Error("attachments are missing");
      return packet;
    },
    encode: ({ decoded }) => {
      const [encoded, ...attachments] = socketText(decoded);
      return { encoded, attachmentsHex: attachments.map(hex) };
    },
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, op, layer, ...request } = JSON.parse(line);
  let answer;
  try {
    const result = await LAYERS[layer]?.[op](request);
    if (!result) answer = { unsupported: true };
    else answer = op === "decode" ? { decoded: result } : result;
  } catch (error) {
    answer = { error: String(error) };
  }
  console.log(JSON.stringify({ id, ...answer }));
}
