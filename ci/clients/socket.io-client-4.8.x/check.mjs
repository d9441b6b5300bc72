// The official client 4.8 against a server that runs the contract application:
//
//   ./check http://127.0.0.1:3000 [path of sio-reference-server]
//
// Every check runs over polling, over WebSocket, and over polling that is upgraded to WebSocket. WebTransport is not
// checked: in Node the client needs a native module whose binaries are not in the npm registry. One line a check, then
// `N passed, N failed`; the exit code is 1 when any failed.

import { basics } from "./checks/basics.mjs";
import { acknowledgements } from "./checks/acknowledgements.mjs";
import { binary } from "./checks/binary.mjs";
import { namespaces } from "./checks/namespaces.mjs";
import { rooms } from "./checks/rooms.mjs";
import { ends } from "./checks/ends.mjs";
import { reconnection } from "./checks/reconnection.mjs";
import { restarts } from "./checks/restarts.mjs";
import { upgrades } from "./checks/upgrades.mjs";
import { Bench, ServerFactory } from "./bench.mjs";

const [url, server] = process.argv.slice(2);
if (!url) {
  console.error("usage: check URL [SERVER]");
  process.exit(2);
}

const EVERYWHERE = { ...basics, ...acknowledgements, ...binary, ...namespaces, ...rooms, ...ends, ...reconnection };
const LANES = {
  polling: EVERYWHERE,
  websocket: EVERYWHERE,
  upgraded: { ...EVERYWHERE, ...upgrades },
};

process.on("uncaughtException", (error) => {
  console.log(`FAIL  the client threw: ${error.stack}`);
  process.exit(1);
});

const outcomes = (
  await Promise.all(
    Object.entries(LANES).map(([lane, checks]) => checkAll(lane, server ? { ...checks, ...restarts } : checks)),
  )
).flat();
const failed = outcomes.filter((passed) => !passed).length;
console.log(`${outcomes.length - failed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

async function checkAll(lane, checks) {
  const outcomes = [];
  for (const [name, check] of Object.entries(checks)) outcomes.push(await passes(`${lane}: ${name}`, check, lane));
  return outcomes;
}

async function passes(name, check, lane) {
  const bench = new Bench(url, lane, new ServerFactory(server));
  try {
    await check(bench);
    console.log(`ok    ${name}`);
    return true;
  } catch (error) {
    console.log(`FAIL  ${name}\n      ${String(error?.message ?? error).replaceAll("\n", "\n      ")}`);
    return false;
  } finally {
    bench.tidy();
  }
}
