// What the releases 1 and 2 of the client have in common: Engine.IO 3, and how they are connected.

import { createRequire } from "node:module";
import { everywhere, limits, restarts, upgrades } from "./checks.mjs";
import { engine } from "./checks/engine.mjs";
import { revision4 } from "./checks/revision4.mjs";
import { PageRequest, document } from "./page.mjs";
import { main } from "./run.mjs";

const POLLING = ["polling"];
const WEBSOCKET = ["websocket"];
const UPGRADED = ["polling", "websocket"];

/**
 * The command of a client. Node has no request that tells bytes from text and no scripts to load, so over `polling`,
 * `jsonp` and `upgraded` the client is given those of a page. `not` names the checks that a lane is spared.
 */
export async function check(file, { not = {} } = {}) {
  const { inNode, inPage } = load(createRequire(file));
  const checks = { ...everywhere, ...revision4, ...engine };
  const lanes = {
    polling: { ...inPage, options: { transports: POLLING }, query: {} },
    "polling-b64": { ...inNode, options: { transports: POLLING, forceBase64: true }, query: { b64: "1" } },
    jsonp: { ...inPage, options: { transports: POLLING, forceJSONP: true }, query: { b64: "1", j: /^\d+$/ } },
    websocket: { ...inNode, options: { transports: WEBSOCKET }, query: {} },
    "websocket-b64": { ...inNode, options: { transports: WEBSOCKET, forceBase64: true }, query: { b64: "1" } },
    upgraded: { ...inPage, options: { transports: UPGRADED }, query: {} },
  };
  for (const [name, lane] of Object.entries(lanes)) {
    lane.carrier = lane.options.transports.at(-1);
    lane.checks = { ...checks };
    if (name !== "jsonp") Object.assign(lane.checks, limits); // a form does not hear what became of it
    if (name === "upgraded") Object.assign(lane.checks, upgrades);
    for (const title of not[name] ?? []) {
      if (!lane.checks[title]) throw new Error(`there is no check "${title}"`);
      delete lane.checks[title];
    }
  }
  await main({ refusal: { event: "error", reason: (text) => text }, lanes, restarts });
}

/** The client and its engine twice: as they are, and as they are in a page. They look around when they are loaded. */
function load(require) {
  const from = () => {
    const path = require.resolve("socket.io-client");
    return { io: require(path), engine: createRequire(path)("engine.io-client") };
  };
  const inNode = from();
  for (const path of Object.keys(require.cache)) delete require.cache[path];
  const engine = createRequire(createRequire(require.resolve("socket.io-client")).resolve("engine.io-client"));
  const path = engine.resolve("xmlhttprequest-ssl");
  require.cache[path] = { id: path, filename: path, loaded: true, exports: PageRequest };
  globalThis.document = document;
  return { inNode, inPage: from() };
}
