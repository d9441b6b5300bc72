// The processes that a check starts. None outlives it.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const LIMIT = 120_000; // ms that one judgement may take
const servers = new Set();
process.on("exit", () => servers.forEach((server) => server.kill("SIGKILL")));

/** Starts the reference server with the contract application and these options; gives it and its URL when it listens. */
export function start(reference, options) {
  const always = ["--contract", "--port", "0", "--flash-policy-port", "off"];
  const server = spawn(reference, [...always, ...options], { stdio: ["ignore", "pipe", "inherit"] });
  servers.add(server);
  return new Promise((resolve, reject) => {
    createInterface(server.stdout).once("line", (line) => resolve({ server, url: JSON.parse(line).listening }));
    server.once("error", reject);
    server.once("exit", (code) => {
      servers.delete(server);
      reject(new Error(`the reference server ended with ${code}`));
    });
  });
}

/** Runs a command to its end, within the limit; gives its exit code. */
export function run(command, args) {
  const child = spawn(command, args, { stdio: "ignore" });
  const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code));
  }).finally(() => clearTimeout(timer));
}
