// Clients and servers that leave a transport out or take two in the wrong order, each of which the cases with pages have to
// catch:
//
//   node pages.mjs SIO-CONFORMANCE SIO-REFERENCE-SERVER [NAME…]
//
// First the cases that are used below, without a mutation: everything is green. Then each mutation: its case has to fail.
// Prints `N passed, N failed`.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { run, start } from "./processes.mjs";
import { Proxy } from "./proxy.mjs";

const AT_A_TIME = 3;
const REPORTS = "target/ci/wrong-pages";
const CLIENTS = "ci/clients/browser/node_modules";
const ORDER = ["websocket", "flashsocket", "htmlfile", "xhr-multipart", "xhr-polling", "jsonp-polling"];
const WHOLE_ORDER = "rev1/browser/refused-to-jsonp-polling[served,chromium]";

const [conformance, reference, ...names] = process.argv.slice(2);
if (!reference) {
  console.error("usage: pages.mjs SIO-CONFORMANCE SIO-REFERENCE-SERVER [NAME…]");
  process.exit(2);
}
mkdirSync(REPORTS, { recursive: true });
// Time for browsers.
const { url } = await start(reference, ["--ping-timeout", "2"]);
const scripts = {
  served: await (await fetch(`${url}/socket.io/socket.io.js`)).text(),
  2.5: readFileSync(`${CLIENTS}/socket.io-client-2.5.0/dist/socket.io.js`, "utf8"),
  4.8: readFileSync(`${CLIENTS}/socket.io-client-4.8.4/dist/socket.io.js`, "utf8"),
};

/** What is wrong: `client`, and what is put behind its script; or the hooks of a proxy before the server. */
const MUTATIONS = {};
for (const name of ORDER) {
  MUTATIONS[`client leaves ${name} out`] = {
    case: WHOLE_ORDER,
    client: "served",
    script: `io.transports.splice(io.transports.indexOf("${name}"), 1);`,
  };
  MUTATIONS[`server leaves ${name} out`] = { case: WHOLE_ORDER, response: (answer) => without(answer, name) };
}
MUTATIONS["client takes htmlfile before flashsocket"] = {
  case: WHOLE_ORDER,
  client: "served",
  script: `io.transports.splice(1, 2, "htmlfile", "flashsocket");`,
};
for (const [client, generation] of [["2.5", "eio3"], ["4.8", "eio4"]]) {
  const upgrade = `${generation}/browser/upgrade[${client},chromium]`;
  const first = `${generation}/browser/websocket-first[${client},chromium]`;
  const wrap = (change) => `{ const of = io; io = (url, options) => of(url, { ...options, ${change} }); }`;
  MUTATIONS[`client ${client} does not upgrade`] = { case: upgrade, client, script: wrap("upgrade: false") };
  MUTATIONS[`client ${client} begins with the last`] = {
    case: upgrade,
    client,
    script: wrap("transports: [...options.transports].reverse()"),
  };
  MUTATIONS[`client ${client} polls first all the same`] = {
    case: first,
    client,
    script: wrap('transports: ["polling", "websocket"]'),
  };
  MUTATIONS[`server offers ${client} no upgrade`] = { case: upgrade, open: (handshake) => ({ ...handshake, upgrades: [] }) };
}

const wanted = Object.entries(MUTATIONS).filter(([name]) => names.length === 0 || names.includes(name));
const cases = [...new Set(wanted.map(([, mutation]) => mutation.case))];
let passed = 0;
let failed = 0;
const report = (good, name, what) => {
  good ? passed++ : failed++;
  console.log(`${good ? "ok  " : "FAIL"}  ${name.padEnd(42)}  ${what}`);
};

const plain = await judge("no mutation", {}, cases);
report(plain.code === 0 && plain.fail.length === 0, "no mutation", `exit code ${plain.code}; ${cases.length} cases`);
const queue = [...wanted];
await Promise.all(Array.from({ length: AT_A_TIME }, worker));
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

async function worker() {
  for (let next; (next = queue.shift());) {
    const [name, mutation] = next;
    const { code, fail } = await judge(name, mutation, [mutation.case]);
    const caught = code === 1 && fail.includes(mutation.case);
    report(caught, name, caught ? mutation.case : `exit code ${code}; not noticed by ${mutation.case}`);
  }
}

/** What the cases say with this mutation. */
async function judge(name, mutation, cases) {
  const place = `${REPORTS}/${name.replaceAll(/[^a-z0-9]+/gi, "-")}`;
  const proxy = new Proxy(url, mutation);
  const args = ["browser", "--browser", "chromium", "--url", await proxy.listen(), "--json", `${place}.jsonl`];
  args.push("--traces", `${place}.traces`, ...cases.flatMap((id) => ["--filter", id]));
  if (mutation.client) {
    writeFileSync(`${place}.js`, `${scripts[mutation.client]}\n${mutation.script}\n`);
    args.push("--client", `${mutation.client}=${place}.js`);
  }
  try {
    const code = await run(conformance, args);
    const events = readFileSync(`${place}.jsonl`, "utf8").trim().split("\n").map((line) => JSON.parse(line));
    return { code, fail: events.filter(({ outcome }) => outcome === "fail").map(({ id }) => id) };
  } finally {
    proxy.close();
  }
}

/** A handshake of revision 1 without the transport. */
function without(answer, name) {
  const text = answer.body.toString();
  if (!/^[\w-]+:\d*:\d*:[\w,-]+$/.test(text)) return;
  const parts = text.split(":");
  parts[3] = parts[3].split(",").filter((it) => it !== name).join(",");
  answer.body = Buffer.from(parts.join(":"));
}
