// A headless Chromium of our own, driven over WebDriver: as much of the protocol as the checks need.

import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const CALL_TIMEOUT = 30_000; // ms, for any one call
const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-background-timer-throttling", "--hide-scrollbars",
  "--window-size=900,900",
];

/** Starts chromedriver and one browser; `stop()` ends both. */
export async function start() {
  const profile = mkdtempSync(join(tmpdir(), "sio-browser-"));
  const driver = spawn("chromedriver", ["--port=0"], { stdio: ["ignore", "pipe", "ignore"], detached: true });
  // Whatever ends this process, no browser is left behind.
  process.on("exit", () => killAll(driver, profile));
  const base = `http://127.0.0.1:${await announcedPort(driver)}`;

  const capabilities = {
    browserName: "chrome",
    pageLoadStrategy: "eager", // a forever iframe never finishes loading
    timeouts: { script: 25_000, pageLoad: 15_000 },
    "goog:chromeOptions": { binary: "/usr/bin/chromium", args: [...FLAGS, `--user-data-dir=${profile}`] },
  };
  const { sessionId } = await call(base, "POST", "/session", { capabilities: { alwaysMatch: capabilities } });
  const ask = (method, path, body) => call(base, method, `/session/${sessionId}${path}`, body);

  return {
    /** Opens a page and waits until its scripts have run; the driver sometimes says so too early. */
    async open(url) {
      await ask("POST", "/url", { url });
      await this.run(async () => {
        while (document.readyState === "loading") await new Promise((later) => setTimeout(later, 5));
      });
    },

    /** Runs an async function in the page, with arguments that survive JSON, and gives what it returns. */
    async run(fn, ...args) {
      const script = `
        var args = [].slice.call(arguments), done = args.pop();
        Promise.resolve().then(() => (${fn})(...args)).then((value) => done({ value }), (e) => done({ error: String(e) }));`;
      const { value, error } = await ask("POST", "/execute/async", { script, args });
      if (error) throw new Error(error);
      return value;
    },

    tab: () => ask("GET", "/window"),
    newTab: async () => (await ask("POST", "/window/new", { type: "tab" })).handle,
    switchTo: (handle) => ask("POST", "/window", { handle }),
    closeTab: () => ask("DELETE", "/window"),

    async screenshot(file) {
      writeFileSync(file, Buffer.from(await ask("GET", "/screenshot"), "base64"));
    },

    async stop() {
      await ask("DELETE", "").catch(() => {});
      killAll(driver, profile);
    },
  };
}

async function call(base, method, path, body) {
  const response = await fetch(base + path, {
    method,
    body: method === "POST" ? JSON.stringify(body ?? {}) : undefined,
    signal: AbortSignal.timeout(CALL_TIMEOUT),
  });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`);
  return value;
}

function announcedPort(driver) {
  return new Promise((resolve, reject) => {
    let output = "";
    const late = setTimeout(() => reject(new Error("chromedriver did not start in time")), 15_000);
    driver.stdout.on("data", (chunk) => {
      output += chunk;
      const port = /started successfully on port (\d+)/.exec(output);
      if (!port) return;
      clearTimeout(late);
      resolve(port[1]);
    });
    driver.on("error", (error) => reject(new Error(`chromedriver cannot be started: ${error.message}`)));
    driver.on("exit", (code) => reject(new Error(`chromedriver ended with code ${code}`)));
  });
}

// The driver's process group, and every process that runs on our profile: the browser has groups of its own.
function killAll(driver, profile) {
  const kill = (pid) => {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended already.
    }
  };
  if (driver.pid) kill(-driver.pid);
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(profile)) kill(Number(pid));
    } catch {
      // It ended while we looked.
    }
  }
  rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
