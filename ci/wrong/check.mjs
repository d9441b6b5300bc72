// Deliberately wrong servers, each of which the cases have to catch:
//
//   ./check SIO-CONFORMANCE SIO-REFERENCE-SERVER [NAME…]
//
// First the proxy without a mutation, judged by all cases that are used below: everything is green. Then each mutation,
// judged by some of them: at least one has to fail, or, where the mutation says that it is about a `should`, to be lenient.
// Prints which one, then `N passed, N failed`.

import { mkdirSync, readFileSync } from "node:fs";
import { MUTATIONS } from "./mutations/index.mjs";
import { run, start } from "./processes.mjs";
import { Proxy } from "./proxy.mjs";

const AT_A_TIME = 10;
const REPORTS = "target/ci/wrong";
const WIDTH = Math.max(...Object.keys(MUTATIONS).map((name) => name.length));

const [conformance, reference, ...names] = process.argv.slice(2);
if (!reference) {
  console.error("usage: check SIO-CONFORMANCE SIO-REFERENCE-SERVER [NAME…]");
  process.exit(2);
}
const unknown = names.filter((name) => !(name in MUTATIONS));
if (unknown.length > 0) {
  console.error(`no mutation is called ${unknown.join(", ")}`);
  process.exit(2);
}
const wanted = Object.entries(MUTATIONS).filter(([name]) => names.length === 0 || names.includes(name));

mkdirSync(REPORTS, { recursive: true });
// Longer than the contract's, for many run at a time and the proxy takes its share.
const TIMINGS = ["--ping-interval", "0.6", "--ping-timeout", "0.6"];

let passed = 0;
let failed = 0;
const report = (good, name, what) => {
  good ? passed++ : failed++;
  console.log(`${good ? "ok  " : "FAIL"}  ${name.padEnd(WIDTH)}  ${what}`);
};

const green = await control();
const queue = [...wanted];
const missed = [];
await Promise.all(Array.from({ length: AT_A_TIME }, worker));
// A machine that is short of time lets other cases fail as well, so what went wrong beside others is judged again alone.
for (const [name, mutation] of missed) {
  const { good, what } = await verdict(name, mutation);
  report(good, name, what);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

/** The ids of the cases that pass without a mutation. */
async function control() {
  const kinds = new Map();
  for (const [, { cases, server = [], generation = "eio4" }] of wanted) {
    // Timeouts and limits that a mutation needs are part of what it does wrong; what the server remembers is not.
    const options = server[0] === "--recovery" ? server.join(" ") : "";
    const kind = `${generation} ${options}`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), ...cases]);
  }
  const green = new Set();
  for (const [kind, cases] of kinds) {
    const [generation, ...server] = kind.split(" ").filter(Boolean);
    const plain = { cases: [...new Set(cases)], server, generation };
    let judgement = await judge(`no mutation ${kind}`, plain);
    if (judgement.code !== 0) judgement = await judge(`no mutation ${kind}`, plain);
    const { code, pass, fail, lenient, skip } = judgement;
    report(
      code === 0,
      "no mutation",
      code === 0 ? `${pass.length} cases pass` : `exit code ${code}: ${fail.join(" ")}`,
    );
    const known = [...pass, ...fail, ...lenient, ...skip].map((id) => id.replace(/\[.*/, ""));
    const missing = cases.filter((id) => !known.includes(`${generation}/${id}`));
    if (missing.length > 0) report(false, "no mutation", `there is no case ${missing.join(" ")}`);
    pass.forEach((id) => green.add(id));
  }
  return green;
}

async function worker() {
  for (let next; (next = queue.shift());) {
    const [name, mutation] = next;
    const { good, what } = await verdict(name, mutation);
    if (good) report(true, name, what);
    else missed.push(next);
  }
}

/** Whether a mutation is noticed, and by what. */
async function verdict(name, mutation) {
  const { code, fail, lenient } = await judge(name, mutation);
  const caught = (mutation.should ? lenient : fail).filter((id) => green.has(id));
  const others = caught.length > 1 ? ` and ${caught.length - 1} more` : "";
  if (caught.length > 0 && code === (mutation.should ? 0 : 1)) return { good: true, what: `${caught[0]}${others}` };
  return { good: false, what: `exit code ${code}; noticed by none of ${mutation.cases.join(" ")}` };
}

/** What the cases say about a server with this mutation. */
async function judge(name, mutation) {
  const { server, url } = await start(reference, [...TIMINGS, ...(mutation.server ?? [])]);
  const proxy = new Proxy(url, mutation);
  const json = `${REPORTS}/${name.replaceAll(/[^a-z0-9]+/gi, "-")}.jsonl`;
  const { generation = "eio4" } = mutation;
  const filters = mutation.cases.flatMap((id) => ["--filter", `${generation}/${id}`, "--filter", `${generation}/${id}[*`]);
  const common = ["run", "--generation", generation, "--jobs", "8", "--traces", `${REPORTS}/traces`];
  try {
    const code = await run(conformance, [...common, "--url", await proxy.listen(), "--json", json, ...filters]);
    const events = readFileSync(json, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const of = (wanted) =>
      events
        .filter(({ event, outcome }) => event === "case" && outcome === wanted)
        .map(({ id }) => id)
        .sort();
    return { code, pass: of("pass"), fail: of("fail"), lenient: of("lenient"), skip: of("skip") };
  } finally {
    proxy.close();
    server.kill("SIGKILL");
  }
}
