#!/usr/bin/env node
// Runs the packet vectors of revision 1 through the browser client's own parser: node vectors.mjs
//
// Prints a line a failure and then "N passed, N failed"; exit code 1 where one failed.

import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { createContext, runInContext } from "node:vm";

const root = new URL("../../", import.meta.url);
const window = { io: { transports: [], Transport: {} } };
createContext(window);
window.window = window;
for (const part of ["packet", "xhr-multipart"]) {
  runInContext(readFileSync(new URL(`reference-server/src/browser/js/${part}.js`, root), "utf8"), window);
}
const { packet, Transport } = window.io;

// The client never writes an error packet.
const writes = (vector) => vector.decoded && vector.direction !== "decode" && vector.decoded.type !== "error";
const reads = (vector) => vector.direction !== "encode";

const LAYERS = {
  packet: { decode: packet.decode, encode: packet.encode },
  payload: { decode: packet.decodePayload, encode: packet.encodePayload },
  multipart: {
    decode: (text, { boundary }) => Transport["xhr-multipart"].splitter(boundary)(text),
    // A stream that is still growing is not known to be cut off, and its bytes have become text before.
    applies: (vector) => vector.error !== "truncated" && vector.error !== "utf8",
  },
};

let passed = 0, failed = 0;
function compare(name, actual, expected) {
  // What comes from the other context has prototypes of its own.
  const plain = actual === undefined ? undefined : JSON.parse(JSON.stringify(actual));
  if (isDeepStrictEqual(plain, expected)) return passed++;
  failed++;
  console.log(`FAIL  ${name}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
}

for (const [layer, { decode, encode, applies }] of Object.entries(LAYERS)) {
  const file = JSON.parse(readFileSync(new URL(`fixtures/packets/rev1/${layer}.json`, root), "utf8"));
  for (const vector of file.vectors.filter(applies ?? (() => true))) {
    const name = `${layer}: ${vector.name}`;
    if (reads(vector)) compare(`${name}, read`, decode(vector.encoded, file), vector.decoded ?? null);
    if (encode && writes(vector)) compare(`${name}, written`, encode(vector.decoded), vector.encoded);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
