#!/usr/bin/env node
// Checks the client a revision 1 server serves, in a real browser: node check.mjs URL [SCREENSHOT_FOLDER]
//
// The server runs the contract application and serves the pages / and /chat; heartbeats are checked where it announces
// a timeout of at most 5 s. Prints a line a check and then "N passed, N failed"; exit code 1 where one failed, 2 where
// there is no such server. Needs chromium and chromedriver.

import assert from "node:assert/strict";
import { join } from "node:path";
import { serve } from "./proxy.mjs";
import { BLANK_PAGE, connects, conversation, kept, keeps, namespaces } from "./scenarios.mjs";
import { start } from "./webdriver.mjs";

const ORDER = ["websocket", "flashsocket", "htmlfile", "xhr-multipart", "xhr-polling", "jsonp-polling"];
const ALL_LIMIT = 240_000; // ms

const [url, screenshots] = process.argv.slice(2);
if (!url) {
  console.error("usage: check.mjs URL [SCREENSHOT_FOLDER]");
  process.exit(2);
}
const server = url.replace(/\/$/, "");
setTimeout(() => {
  console.error(`not finished after ${ALL_LIMIT / 1000} s`);
  process.exit(1);
}, ALL_LIMIT).unref();
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

let passed = 0, failed = 0;
async function check(name, body) {
  proxy.rules = {};
  try {
    await body();
    passed++;
    console.log(`ok    ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAIL  ${name}: ${error.message.replace(/\s+/g, " ")}`);
  }
}

async function text(address) {
  try {
    return await (await fetch(address, { signal: AbortSignal.timeout(5000) })).text();
  } catch (error) {
    return String(error.cause ?? error);
  }
}

/** Polls the page until `read` gives something true. */
async function until(what, read, ...args) {
  for (const end = Date.now() + 12_000; Date.now() < end; ) {
    const value = await browser.run(read, ...args);
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`timed out: ${what}; the page shows: ${await browser.run(() => document.body.innerText)}`);
}

async function shoot(name) {
  if (screenshots) await browser.screenshot(join(screenshots, `${name}.png`));
}

const handshake = (await text(`${server}/socket.io/1/`)).split(":");
const heartbeatTimeout = Number(handshake[1]); // seconds
const offered = ORDER.filter((name) => handshake[3]?.split(",").includes(name));
if (!offered.length) {
  console.error(`no handshake of revision 1 at ${server}: ${handshake.join(":").slice(0, 200)}`);
  process.exit(2);
}
const proxy = await serve(server, { "/blank": BLANK_PAGE });
const elsewhere = await serve(server);
const browser = await start();

try {
  await pages();
  await fallback();
  await applications();
  await otherOrigin();
  await brokenConnections();
  await chat();
} finally {
  await browser.stop();
  proxy.close();
  elsewhere.close();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);

async function pages() {
  for (const transport of ["", ...offered]) {
    await check(`page / over ${transport || "the best transport"}`, async () => {
      await browser.open(`${server}/${transport && `?transport=${transport}`}`);
      const log = await until("the exchange", () => {
        const lines = document.getElementById("log").innerText;
        return /acknowledged/.test(lines) && lines;
      });
      assert.match(log, /received news \{"hello":"world"\}/);
      assert.match(log, /sent my other event/);
      assert.match(log, /acknowledged "ping"/);
      const shown = await browser.run(() => ["state", "transport"].map((id) => document.getElementById(id).innerText));
      assert.deepEqual(shown, ["connected", transport || offered[0]]);
      await shoot(`page-${transport || "best"}`);
    });
  }
}

async function fallback() {
  const blocked = async (names, how, options) => {
    await browser.open(`${proxy.origin}/blank`);
    proxy.rules = Object.fromEntries(names.map((name) => [name, how]));
    proxy.seen = [];
    const outcome = await browser.run(connects, "", options);
    proxy.rules = {};
    return outcome;
  };
  for (let depth = 1; depth < offered.length; depth++) {
    await check(`${offered.slice(0, depth).join(", ")} refused: ${offered[depth]}`, async () => {
      const [got, sid] = await blocked(offered.slice(0, depth), "refuse", { "connect timeout": 3000 });
      assert.equal(got, offered[depth]);
      assert.deepEqual(proxy.seen.map((pair) => pair.split(" ")[0]), offered.slice(0, depth + 1));
      assert.ok(proxy.seen.every((pair) => pair.split(" ")[1] === sid), `one session id in ${proxy.seen}`);
    });
  }
  for (let depth = 1; depth < offered.length; depth++) {
    await check(`${offered[depth - 1]} silent: ${offered[depth]} after the connect timeout`, async () => {
      const names = offered.slice(depth - 1);
      const [got, sid] = await blocked(names.slice(0, 1), "hang", { transports: names, "connect timeout": 1000 });
      assert.equal(got, names[1]);
      assert.deepEqual(proxy.seen, [`${names[0]} ${sid}`, `${names[1]} ${sid}`]);
    });
  }
  await check("every transport refused: connect_failed", async () => {
    assert.deepEqual(await blocked(offered, "refuse", { "connect timeout": 2000 }), ["connect_failed"]);
    assert.equal(proxy.seen.length, offered.length);
  });
  await check("no second transport where only one may be tried", async () => {
    const options = { "connect timeout": 2000, "try multiple transports": false };
    assert.deepEqual(await blocked(offered.slice(0, 1), "refuse", options), ["connect_failed"]);
    assert.equal(proxy.seen.length, 1);
  });
}

async function applications() {
  for (const transport of offered) {
    await check(`messages, events and acknowledgments over ${transport}`, async () => {
      await browser.open(`${proxy.origin}/blank`);
      assert.deepEqual(await browser.run(conversation, "", transport), {
        news: [{ hello: "world" }], transport, sent: [], message: true, json: true, back: true, ack: true, answer: true,
        burst: true, order: true, disconnect: ["booted"],
      });
    });
    await check(`namespaces over ${transport}`, async () => {
      await browser.open(`${proxy.origin}/blank`);
      assert.deepEqual(await browser.run(namespaces, proxy.origin, transport), {
        news: [{ hello: "world" }], refused: ["unauthorized"], echo: ["in custom"], left: ["booted"], root: ["in root"],
        booted: ["booted"], reconnecting: false, direct: ["by url"],
      });
    });
  }
  await check("a custom bundle holds what its name says", async () => {
    await browser.open(`${proxy.origin}/blank`);
    const names = await browser.run(async () => {
      const script = document.createElement("script");
      script.src = "/socket.io/socket.io+xhr-polling+websocket.js";
      await new Promise((loaded) => {
        script.onload = loaded;
        document.body.append(script);
      });
      return [io.transports.join(), Object.keys(io.Transport).join()];
    });
    assert.deepEqual(names, ["websocket,xhr-polling", "websocket,xhr-polling"]);
  });
}

async function otherOrigin() {
  // A server that serves certain origins alone refuses ours; a browser does not say why a request failed, a script does.
  const headers = { Origin: proxy.origin };
  const { status } = await fetch(`${elsewhere.origin}/socket.io/1/`, { headers, signal: AbortSignal.timeout(5000) });
  const ifRefused = (transport) => ["error", transport === "jsonp-polling" ? "handshake bad origin" : "no answer"];
  for (const transport of ["", ...offered]) {
    const expected = status === 403 ? "refused" : transport === "htmlfile" ? "not applicable" : "connected";
    await check(`from another origin, ${transport || "the best transport"}: ${expected}`, async () => {
      await browser.open(`${proxy.origin}/blank`);
      const outcome = await browser.run(connects, elsewhere.origin, transport ? { transports: [transport] } : {});
      if (expected === "refused") assert.deepEqual(outcome, ifRefused(transport));
      else assert.equal(outcome[0], expected === "connected" ? transport || offered[0] : "connect_failed");
    });
  }
  await check("an unauthorized handshake is an error, by request and by script", async () => {
    await browser.open(`${proxy.origin}/blank`);
    for (const options of [{}, { transports: ["jsonp-polling"] }]) {
      const outcome = await browser.run(connects, `${proxy.origin}?authorize=no`, options);
      assert.deepEqual(outcome, ["error", "handshake unauthorized"]);
    }
  });
}

async function brokenConnections() {
  for (const transport of offered) {
    await check(`a new session after ${transport} was cut off`, async () => {
      await browser.open(`${proxy.origin}/blank`);
      const options = { transports: [transport], "reconnection delay": 200, "connect timeout": 1000 };
      const sid = await browser.run(keeps, "", options);
      proxy.rules = { "*": "refuse" };
      proxy.cut();
      await until("reconnecting", (name) => window.kept[name].events.includes("reconnecting"), transport);
      proxy.rules = {};
      const after = await browser.run(kept, transport, true);
      assert.notEqual(after.sid, sid);
      assert.equal(after.transport, transport);
      assert.deepEqual(after.answer, ["still here"]);
      assert.deepEqual([after.events[0], after.events.at(-1)], ["disconnect", "reconnect"]);
    });
  }
  await check("a poll that was cut off is asked again, in the same session", async () => {
    await browser.open(`${proxy.origin}/blank`);
    const sid = await browser.run(keeps, "", { transports: ["xhr-polling"] });
    proxy.cut();
    assert.deepEqual(await browser.run(kept, "xhr-polling"), undisturbed("xhr-polling", sid));
  });

  if (heartbeatTimeout > 5) return;
  // Side by side in one page: each has to wait for two heartbeat timeouts.
  const streams = offered.filter((name) => !name.endsWith("polling"));
  const sids = {};
  await browser.open(`${proxy.origin}/blank`);
  for (const transport of streams) {
    sids[transport] = await browser.run(keeps, "", { transports: [transport] }).catch((error) => error.message);
  }
  await new Promise((resolve) => setTimeout(resolve, heartbeatTimeout * 2000));
  for (const transport of streams) {
    await check(`heartbeats keep ${transport} open`, async () => {
      assert.deepEqual(await browser.run(kept, transport), undisturbed(transport, sids[transport]));
    });
  }
}

function undisturbed(transport, sid) {
  return { answer: ["still here"], sid, transport, events: [] };
}

async function chat() {
  await check("chat between two tabs", async () => {
    const connected = () => /connected by [\w-]+/.exec(document.getElementById("state").innerText)?.[0];
    const say = (text) => {
      document.getElementById("text").value = text;
      document.getElementById("say").requestSubmit();
    };
    const heard = (text) => [...document.querySelectorAll("li")].some((line) => line.innerText.includes(text));
    const first = await browser.tab();
    await browser.open(`${server}/chat`);
    assert.equal(await until("tab 1 connected", connected), `connected by ${offered[0]}`);
    const second = await browser.newTab();
    await browser.switchTo(second);
    await browser.open(`${server}/chat?transport=xhr-polling`);
    assert.equal(await until("tab 2 connected", connected), "connected by xhr-polling");
    await browser.switchTo(first);
    await until("tab 1 is told of tab 2", heard, "joined");
    await browser.run(say, "from <one>");
    await browser.switchTo(second);
    await until("tab 2 hears tab 1", heard, "from <one>");
    await browser.run(say, "from two: €😀");
    await browser.switchTo(first);
    await until("tab 1 hears tab 2", heard, "from two: €😀");
    await shoot("chat");
    await browser.switchTo(second);
    await browser.closeTab();
    await browser.switchTo(first);
  });
}
