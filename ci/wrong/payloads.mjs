// Payloads of polling: the packets in a body, and the body of packets. A packet is as in packets.mjs.
//
// Engine.IO 4 has one framing. Engine.IO 3 has three: text with lengths in UTF-16 code units, the same in a call of a script
// or a field of a form, and bytes. What a mutation does wrong in them is its `wire`:
//
//   untyped    binary messages go without their type digit
//   length(text)   what is said to be the length of a packet of a text payload
//   units      the length of a text among bytes is that of the text
//   quote(text)    the string in a script's call
//   index      the number in a script's call

const SEPARATOR = "\x1e";

/** Whether the session that a target is about speaks Engine.IO 3. */
export const isThree = (target) => /[?&]EIO=3(&|$)/.test(target);

/** How a body is framed. */
export function framingOf(target, body) {
  if (!isThree(target)) return separated;
  if (/[?&]j=/.test(target)) return /^d=/.test(body) ? form : script;
  return body[0] <= 1 ? octets : lengths;
}

const separated = {
  split(body) {
    const packet = (text) => (text.startsWith("b") ? Buffer.from(text.slice(1), "base64") : text);
    return body.length === 0 ? [] : body.toString("utf8").split(SEPARATOR).map(packet);
  },

  join(packets) {
    const text = (packet) => (Buffer.isBuffer(packet) ? `b${packet.toString("base64")}` : packet);
    return Buffer.from(packets.map(text).join(SEPARATOR));
  },
};

/** `LENGTH:PACKET…`; a binary message is `b4` and base64. */
export const lengths = {
  split: (body) => splitText(body.toString("utf8")),
  join: (packets, wire) => Buffer.from(joinText(packets, wire)),
};

function splitText(text) {
  const packets = [];
  while (text.length > 0) {
    const [head, digits] = /^(\d+):/.exec(text) ?? [];
    if (!head) return undefined;
    const packet = text.slice(head.length, head.length + Number(digits));
    if (packet.length < Number(digits)) return undefined;
    packets.push(packet.startsWith("b4") ? Buffer.from(packet.slice(2), "base64") : packet);
    text = text.slice(head.length + packet.length);
  }
  return packets;
}

function joinText(packets, { untyped, length = (text) => text.length } = {}) {
  const text = (packet) => (Buffer.isBuffer(packet) ? `b${untyped ? "" : "4"}${packet.toString("base64")}` : packet);
  return packets
    .map(text)
    .map((packet) => `${length(packet)}:${packet}`)
    .join("");
}

/** `___eio[INDEX]("PAYLOAD");`, the payload as JSON writes a string, without line separators. */
const script = {
  split(body) {
    const [, json] = /^___eio\[\d*\]\((.*)\);$/s.exec(body) ?? [];
    return json && splitText(JSON.parse(json));
  },

  join(packets, wire = {}, body = "") {
    const { quote = quoted, index = /\d+/.exec(body)?.[0] ?? "" } = wire;
    return Buffer.from(`___eio[${index}](${quote(joinText(packets, wire))});`);
  },
};

const quoted = (text) => JSON.stringify(text).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");

/** `d=PAYLOAD`, where a line feed is written as a backslash and an n, and those two with a backslash more. */
const form = {
  split(body) {
    const text = new URLSearchParams(body.toString()).get("d");
    const escaped = /(\\?)\\n/g;
    return splitText(text.replaceAll(escaped, (_, slash) => (slash ? "\\n" : "\n")));
  },

  join: (packets) =>
    Buffer.from(new URLSearchParams({ d: joinText(packets).replaceAll("\\n", "\\\\n").replaceAll("\n", "\\n") }).toString()),
};

/** Each packet with a byte that says whether it is binary, the digits of its length in bytes, and 0xff. */
const octets = {
  split(body) {
    const packets = [];
    while (body.length > 0) {
      const end = body.indexOf(0xff);
      const length = Number([...body.subarray(1, end)].join(""));
      const packet = body.subarray(end + 1, end + 1 + length);
      if (end < 2 || body[0] > 1 || packet.length < length) return undefined;
      if (body[0] === 1 && packet[0] !== 4) return undefined;
      packets.push(body[0] === 0 ? packet.toString("utf8") : packet.subarray(1));
      body = body.subarray(end + 1 + length);
    }
    return packets;
  },

  join(packets, { untyped, units } = {}) {
    const type = untyped ? [] : [4];
    const parts = packets.map((packet) => {
      const binary = Buffer.isBuffer(packet);
      const bytes = binary ? Buffer.concat([Buffer.from(type), packet]) : Buffer.from(packet);
      const { length } = units ? packet : bytes;
      return Buffer.concat([Buffer.from([binary ? 1 : 0, ...[...String(length)].map(Number), 0xff]), bytes]);
    });
    return Buffer.concat(parts);
  },
};
