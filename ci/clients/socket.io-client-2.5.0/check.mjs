// The official client 2.5 against a server that runs the contract application:
//
//   ./check http://127.0.0.1:3000 [path of sio-reference-server]

import { check } from "../javascript/eio3.mjs";

await check(import.meta.url);
