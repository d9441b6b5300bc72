// Deliberately wrong servers, each of which the cases have to catch:
//
//   ./check SIO-CONFORMANCE SIO-REFERENCE-SERVER [NAME…]
//
// First the proxy without a mutation: everything is green. Then each mutation, judged by the cases of its topic: at least
// one fails. Prints which one, then `N passed, N failed`.

import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { MUTATIONS } from "./mutations/index.mjs";
import { Proxy } from "./proxy.mjs";

const AT_A_TIME = 6;
const LIMIT = 120_000; // ms that one judgement may take

const [conformance, reference, ...names] = process.argv.slice(2);
const reports = "target/ci/wrong";
if (!reference) {
  console.error("usage: check SIO-CONFORMANCE SIO-REFERENCE-SERVER [NAME…]");
  process.exit(2);
}
mkdirSync(reports, { recursive: true });

const wanted = Object.entries(MUTATIONS).filter(([name]) => names.length === 0 || names.includes(name));
const unknown = names.filter((name) => !(name in MUTATIONS));
if (unknown.length > 0) {
  console.error(`no mutation is called ${unknown.join(", ")}`);
  process.exit(2);
}

let failed = 0;
const report = (passed, name, what) => {
  failed += passed ? 0 : 1;
  console.log(`${passed ? "ok  " : "FAIL"}  ${name.padEnd(WIDTH)}  ${what}`);
};
const WIDTH = Math.max(...Object.keys(MUTATIONS).map((name) => name.length));

const control = await judge("no mutation", { cases: [...new Set(wanted.flatMap(([, { cases }]) => cases))] });
report(control.code === 0, "no mutation", control.code === 0 ? `${control.passed} cases pass` : `exit code ${control.code}: ${control.failed.join(" ")}`);

const queue = [...wanted];
await Promise.all(Array.from({ length: AT_A_TIME }, async () => {
  for (let next; (next = queue.shift()); ) {
    const [name, mutation] = next;
    const { code, failed } = await judge(name, mutation);
    const caught = failed.filter((id) => !control.failed.includes(id));
    const others = caught.length > 1 ? `, and ${caught.length - 1} more` : "";
    if (code === 1 && caught.length > 0) report(true, name, `caught by ${caught[0]}${others}`);
    else report(false, name, `exit code ${code}; nothing failed of ${mutation.cases.join(" ")}`);
  }
}));

console.log(`${wanted.length + 1 - failed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

/** What the cases say about a server with this mutation. */
async function judge(name, mutation) {
  const { server, url } = await start(mutation.server ?? []);
  const proxy = new Proxy(url, mutation);
  const json = `${reports}/${name.replaceAll(/[^a-z0-9]+/gi, "-")}.jsonl`;
  const filters = mutation.cases.flatMap((glob) => ["--filter", glob]);
  const common = ["run", "--generation", "eio4", "--traces", `${reports}/traces`];
  try {
    const code = await run(conformance, [...common, "--url", await proxy.listen(), "--json", json, ...filters]);
    const events = readFileSync(json, "utf8").trim().split("\n").map((line) => JSON.parse(line));
    const outcome = (wanted) => events.filter(({ event, outcome }) => event === "case" && outcome === wanted).map(({ id }) => id);
    return { code, failed: outcome("fail").sort(), passed: outcome("pass").length };
  } finally {
    proxy.close();
    server.kill("SIGKILL");
  }
}

function start(options) {
  const server = spawn(reference, ["--contract", "--port", "0", "--flash-policy-port", "off", ...options], { stdio: ["ignore", "pipe", "inherit"] });
  process.on("exit", () => server.kill("SIGKILL"));
  return new Promise((resolve, reject) => {
    createInterface(server.stdout).once("line", (line) => resolve({ server, url: JSON.parse(line).listening }));
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`the reference server ended with ${code}`)));
  });
}

function run(command, args) {
  const child = spawn(command, args, { stdio: "ignore" });
  const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code));
  }).finally(() => clearTimeout(timer));
}
