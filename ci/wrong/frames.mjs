// WebSocket frames (RFC 6455). Whole text and binary messages are taken apart; whatever else there is passes as it came.

const TEXT = 1;
const BINARY = 2;

/** Cuts a stream of bytes into messages (strings and Buffers) and `{ raw }` pieces. */
export class Splitter {
  #rest = Buffer.alloc(0);
  #broken = false;

  /** What is complete with these bytes. */
  feed(bytes) {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const found = [];
    for (let length; !this.#broken && (length = this.#frame()) !== undefined;) {
      found.push(decode(this.#rest.subarray(0, length)));
      this.#rest = this.#rest.subarray(length);
    }
    if (this.#broken) found.push({ raw: this.end() });
    return found;
  }

  /** What was left at the end of the stream. */
  end() {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest;
  }

  /** The length of the first frame, if it is there. */
  #frame() {
    const { length } = this.#rest;
    if (length < 2) return undefined;
    const short = this.#rest[1] & 0x7f;
    const head = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0);
    if (length < head) return undefined;
    const payload =
      short < 126 ? short : short === 126 ? this.#rest.readUInt16BE(2) : Number(this.#rest.readBigUInt64BE(2));
    if (payload > 64 << 20) this.#broken = true;
    const all = head + (this.#rest[1] & 0x80 ? 4 : 0) + payload;
    return length < all ? undefined : all;
  }
}

function decode(frame) {
  const opcode = frame[0] & 0x0f;
  const whole = (frame[0] & 0xf0) === 0x80 && (opcode === TEXT || opcode === BINARY);
  if (!whole) return { raw: frame };
  const short = frame[1] & 0x7f;
  const head = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0);
  let payload = frame.subarray(head);
  if (frame[1] & 0x80) {
    const mask = payload.subarray(0, 4);
    payload = Buffer.from(payload.subarray(4));
    for (let i = 0; i < payload.length; i++) payload[i] ^= mask[i % 4];
  }
  if (opcode === BINARY) return payload;
  const text = payload.toString("utf8");
  return Buffer.from(text).equals(payload) ? text : { raw: frame }; // not UTF-8
}

export const isClose = ({ raw }) => (raw?.[0] & 0x0f) === 8;

/** The frame of a message. A client's frames are masked, with zeros. */
export function frame(message, masked) {
  if (message.raw) return message.raw;
  const payload = Buffer.from(message);
  const mask = masked ? 0x80 : 0;
  const head =
    payload.length < 126
      ? [payload.length | mask]
      : payload.length < 65536
        ? [126 | mask, payload.length >> 8, payload.length & 0xff]
        : [127 | mask, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (payload.length >>> shift) & 0xff)];
  const opcode = 0x80 | (Buffer.isBuffer(message) ? BINARY : TEXT);
  return Buffer.concat([Buffer.from([opcode, ...head]), Buffer.alloc(masked ? 4 : 0), payload]);
}
