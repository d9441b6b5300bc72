// The official client 1.7 against a server that runs the contract application:
//
//   ./check http://127.0.0.1:3000 [path of sio-reference-server]
//
// Over polling this release encodes text as UTF-8 twice, and takes what it reads for encoded twice, which the servers from 2.0
// on do not do. An echo comes back as it was sent, but what a server says itself is not understood; and where a page's
// requests can hold bytes, the length of a text is taken for one in bytes. ASCII is not concerned, nor is WebSocket. There it
// cannot read more than some 100 kB of text at once, either, which a burst is.

import { check } from "../javascript/eio3.mjs";

const said = ["a namespace's query may hold every plane"];

const lengths = [
  ...said,
  "sends an event and receives one",
  "sends and receives a large message",
  "text of every plane comes back",
  "texts of every plane come back in one payload",
  "text and bytes of one payload stay what they are",
  "a name and its bytes come in one event",
  "another client gets what was sent",
  "events and rooms have names of every plane",
  "line breaks, quotes and backslashes come back",
  "texts of every number of digits come back",
  "engine: text comes back as text",
  "engine: texts and bytes stay in order",
  "engine: large messages come back",
];

const upgraded = [...said, "a burst is received in order while it upgrades"];

await check(import.meta.url, { not: { polling: lengths, "polling-b64": said, jsonp: said, upgraded } });
