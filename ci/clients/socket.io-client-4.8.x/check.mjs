// The official client 4.8 against a server that runs the contract application:
//
//   ./check http://127.0.0.1:3000 [path of sio-reference-server]
//
// Every check runs over polling, over WebSocket, and over polling that is upgraded to WebSocket. WebTransport is not
// checked: in Node the client needs a native module whose binaries are not in the npm registry.

import { io } from "socket.io-client";
import { everywhere, limits, restarts, upgrades } from "../javascript/checks.mjs";
import { main } from "../javascript/run.mjs";
import { recovery } from "./checks/recovery.mjs";
import { release, releaseUpgrades } from "./checks/release.mjs";
import { revision5 } from "./checks/revision5.mjs";

const checks = { ...everywhere, ...limits, ...revision5, ...release };

await main({
  io,
  refusal: { event: "connect_error", reason: (error) => error.message },
  lanes: {
    polling: { options: { transports: ["polling"] }, carrier: "polling", checks },
    websocket: { options: { transports: ["websocket"] }, carrier: "websocket", checks },
    upgraded: {
      options: { transports: ["polling", "websocket"] },
      carrier: "websocket",
      checks: { ...checks, ...upgrades, ...releaseUpgrades },
    },
  },
  restarts: { ...restarts, ...recovery },
});
