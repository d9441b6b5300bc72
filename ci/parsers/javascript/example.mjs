// The least that `sio-conformance codec` needs (docs/codec.md): engine.io-parser and socket.io-parser, packet by packet.
import { createInterface } from "node:readline";
import { decodePacket, encodePacket } from "engine.io-parser";
import { Decoder, Encoder } from "socket.io-parser";

const TYPES = ["connect", "disconnect", "event", "ack", "connect-error", "binary-event", "binary-ack"];

const decodeSocket = (text) => {
  let packet;
  new Decoder().on("decoded", (it) => (packet = it)).add(text);
  return packet && { ...packet, type: TYPES[packet.type], nsp: undefined, namespace: packet.nsp.replace(/^\/$/, "") || undefined };
};
const encodeSocket = ({ type, namespace, ...rest }) =>
  new Encoder().encode({ ...rest, type: TYPES.indexOf(type), nsp: namespace ?? "/" })[0];
const encodeEngine = (packet) => new Promise((done) => encodePacket(packet, false, done));
const PARSERS = {
  "eio4/packet": { decode: decodePacket, encode: encodeEngine },
  "sio5/packet": { decode: decodeSocket, encode: encodeSocket },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, op, layer, ...given } = JSON.parse(line);
  try {
    const result = await PARSERS[layer]?.[op](op === "decode" ? given.encoded : given.decoded);
    if (result?.type === "error") throw new Error(result.data);
    console.log(JSON.stringify(result ? { id, [`${op}d`]: result } : { id, unsupported: true }));
  } catch (error) {
    console.log(JSON.stringify({ id, error: String(error) }));
  }
}
