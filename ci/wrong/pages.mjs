// Clients and servers with one thing wrong each, which the cases with pages have to catch:
//
//   node pages.mjs SIO-CONFORMANCE SIO-REFERENCE-SERVER [NAME…]
//
// First the cases that are used below, without a mutation: everything is green. Then each mutation: each of its cases has to
// fail. And each scenario with a page has to have been seen to fail by some mutation. Prints `N passed, N failed`.

import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { mutations } from "./page-mutations.mjs";
import { run, start } from "./processes.mjs";
import { Proxy } from "./proxy.mjs";

const AT_A_TIME = 3;
const CASES = 30; // of a run
const REPORTS = "target/ci/wrong-pages";
const SCENARIOS = "fixtures/scenarios";
const CLIENTS = "ci/clients/browser/node_modules";
const USUAL_CARRIER = "websocket";

const [conformance, reference, ...names] = process.argv.slice(2);
if (!reference) {
  console.error("usage: pages.mjs SIO-CONFORMANCE SIO-REFERENCE-SERVER [NAME…]");
  process.exit(2);
}
const MUTATIONS = mutations(idOf);
const unknown = names.filter((name) => !(name in MUTATIONS));
if (unknown.length > 0) {
  console.error(`no mutation is called ${unknown.join(", ")}`);
  process.exit(2);
}
mkdirSync(REPORTS, { recursive: true });
// Time for browsers.
const { url } = await start(reference, ["--ping-timeout", "2"]);
const scripts = {
  served: await (await fetch(`${url}/socket.io/socket.io.js`)).text(),
  0.8: official("0.8.7"),
  0.9: official("0.9.17"),
  1.7: official("1.7.4"),
  2.5: official("2.5.0"),
  4.8: official("4.8.4"),
};

const wanted = Object.entries(MUTATIONS).filter(([name]) => names.length === 0 || names.includes(name));
const width = Math.max(...wanted.map(([name]) => name.length));
let passed = 0;
let failed = 0;
const report = (good, name, what) => {
  good ? passed++ : failed++;
  console.log(`${good ? "ok  " : "FAIL"}  ${name.padEnd(width)}  ${what}`);
};

const used = [...new Set(wanted.flatMap(([, { cases }]) => cases))];
let plain = await judge("no mutation", used, []);
if (plain.code !== 0) plain = await judge("no mutation", used, []);
const green = plain.code === 0 && plain.pass.length === used.length;
report(green, "no mutation", `exit code ${plain.code}; ${plain.pass.length} of ${used.length} cases pass`);
const red = new Set();
const queue = rounds(wanted);
await Promise.all(Array.from({ length: AT_A_TIME }, worker));
if (names.length === 0) {
  const never = scenarios().filter((scenario) => !red.has(scenario));
  report(never.length === 0, "scenarios", never.length === 0 ? `${red.size} seen to fail` : `never seen to fail: ${never.join(" ")}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

/** Lists of mutations that can be judged in one run, for no case has to do with two of them: a browser takes long to start. */
function rounds(wanted) {
  const rounds = [];
  for (const [name, mutation] of wanted) {
    const round = mutation.client && rounds.find((round) => fits(mutation, round.map(([, other]) => other)));
    round ? round.push([name, mutation]) : rounds.push([[name, mutation]]);
  }
  return rounds;
}

function fits({ cases }, others) {
  const taken = others.flatMap((other) => other.cases);
  return others.every(({ client }) => client) && taken.length + cases.length <= CASES && !cases.some((id) => taken.includes(id));
}

async function worker() {
  for (let round; (round = queue.shift());) {
    const all = round.flatMap(([, { cases }]) => cases);
    const { code, fail } = await judge(round[0][0], all, round.map(([, mutation]) => mutation));
    fail.forEach((id) => red.add(id.replace(/\[.*/, "")));
    for (const [name, { cases }] of round) {
      const missed = cases.filter((id) => !fail.includes(id));
      const others = cases.length > 1 ? ` and ${cases.length - 1} more` : "";
      const what = missed.length > 0 ? `exit code ${code}; not noticed by ${missed.join(" ")}` : `${cases[0]}${others}`;
      report(code === 1 && missed.length === 0, name, what);
    }
  }
}

/** What the cases say with these mutations. Only a server that is wrong stands behind a proxy. */
async function judge(name, cases, mutations) {
  const place = `${REPORTS}/${name.replaceAll(/[^a-z0-9]+/gi, "-")}`;
  const args = ["browser", "--browser", "chromium", "--json", `${place}.jsonl`, "--traces", `${place}.traces`];
  const wrong = mutations.find(({ client }) => !client);
  const proxy = wrong && new Proxy(url, wrong);
  if (proxy) args.push("--url", await proxy.listen());
  for (const client of new Set(mutations.map(({ client }) => client).filter(Boolean))) {
    const file = `${place}-${client}.js`;
    writeFileSync(file, `${scripts[client]}\n${byCase(mutations.filter((it) => it.client === client))}\n`);
    args.push("--client", `${client}=${file}`);
  }
  try {
    const code = await run(conformance, [...args, ...cases.flatMap((id) => ["--filter", id])]);
    const events = readFileSync(`${place}.jsonl`, "utf8").trim().split("\n").map((line) => JSON.parse(line));
    const of = (wanted) => events.filter(({ outcome }) => outcome === wanted).map(({ id }) => id);
    return { code, pass: of("pass"), fail: of("fail") };
  } finally {
    proxy?.close();
  }
}

/** A page's address ends with the id of its case: that decides what is wrong with the client. */
function byCase(mutations) {
  const parts = mutations.map(({ cases, script }) => {
    const labels = cases.map((id) => `case ${JSON.stringify(id)}:`);
    return `${labels.join("\n")}\n${script}\nbreak;`;
  });
  return `switch (decodeURIComponent(location.hash.slice(1))) {\n${parts.join("\n")}\n}`;
}

/** The names of all scenarios with pages. */
function scenarios() {
  return readdirSync(SCENARIOS).flatMap((generation) => {
    const folder = `${generation}/browser`;
    return readdirSync(`${SCENARIOS}/${folder}`).map((file) => `${folder}/${file.replace(/\.wire$/, "")}`);
  });
}

/** One case of a scenario, over a WebSocket where it has the choice. */
function idOf(scenario, client) {
  const [, over] = /^over: *(.*)$/m.exec(readFileSync(`${SCENARIOS}/${scenario}.wire`, "utf8")) ?? [];
  const carriers = over?.split(" ");
  const carrier = carriers?.includes(USUAL_CARRIER) ? USUAL_CARRIER : carriers?.[0];
  return `${scenario}[${[carrier, client, "chromium"].filter(Boolean).join()}]`;
}

function official(version) {
  return readFileSync(`${CLIENTS}/socket.io-client-${version}/dist/socket.io.js`, "utf8");
}
