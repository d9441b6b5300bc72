// The official client 0.9.17 against a server that runs the contract application:
//
//   ./check http://127.0.0.1:3000
//
// Every check runs over each transport this client has in Node. One line a check, then `N passed, N failed`; the exit
// code is 1 when any failed. With CHECKS in the environment, only those whose line contains it.
"use strict";

const assert = require("assert").strict;
const io = require("socket.io-client");

const TRANSPORTS = ["websocket", "xhr-polling"];
const PATIENCE = 5000; // ms that anything awaited may take
const HEARTBEAT_LIFETIME = 3000; // ms: the contract's heartbeat interval and heartbeat timeout

const url = process.argv[2];
if (!url) {
  console.error("usage: check URL");
  process.exit(2);
}

const CHECKS = {
  async "connects over the transport asked for"({ open, transport }) {
    const socket = await open();
    assert.equal(socket.socket.transport.name, transport);
  },

  async "receives an event"({ dial }) {
    assert.deepEqual(await heard(dial(), "news"), [{ hello: "world" }]);
  },

  async "sends an event and receives one"({ open }) {
    const socket = await open();
    const args = ["text", 1.5, null, true, { nested: [1, "é 𝄞"] }];
    socket.emit("message", ...args);
    assert.deepEqual(await heard(socket, "message-back"), args);
  },

  async "sends events in order"({ open }) {
    const socket = await open();
    const seen = collect(socket, "item");
    for (let i = 0; i < 20; i++) socket.emit("burst", 1, "item", i);
    await acknowledged(socket, "burst", 0, "item");
    assert.deepEqual(seen, Array.from({ length: 20 }, (_, i) => [0, i]));
  },

  async "receives a burst in order"({ open }) {
    const socket = await open();
    const seen = collect(socket, "item");
    await acknowledged(socket, "burst", 50, "item", "x");
    assert.deepEqual(seen, Array.from({ length: 50 }, (_, i) => [i, "x"]));
  },

  async "sends and receives a large message"({ open }) {
    const socket = await open();
    const text = "é𝄞 ".repeat(20000);
    socket.send(text);
    const [back] = await heard(socket, "message");
    assert.ok(back === text, `${back.length} code units came back of ${text.length}`);
  },

  async "is acknowledged with data"({ open }) {
    const socket = await open();
    assert.deepEqual(await acknowledged(socket, "message-with-ack", "a", { b: [2] }), ["a", { b: [2] }]);
  },

  async "is acknowledged without data"({ open }) {
    const socket = await open();
    assert.deepEqual(await acknowledged(socket, "volatile", "nothing"), []);
  },

  async "acknowledges with data"({ open }) {
    const socket = await open();
    socket.on("question", (word, answer) => answer(word.toUpperCase(), { n: 1 }));
    socket.emit("ask", "why");
    assert.deepEqual(await heard(socket, "answer"), ["WHY", { n: 1 }]);
  },

  async "a question nobody answers times out"({ open }) {
    const socket = await open();
    socket.emit("ask-timeout", 50);
    assert.deepEqual(await heard(socket, "answer-timeout"), []);
  },

  async "sends and receives a plain message"({ open }) {
    const socket = await open();
    socket.send("plain: é\n𝄞");
    assert.deepEqual(await heard(socket, "message"), ["plain: é\n𝄞"]);
  },

  async "sends and receives a JSON message"({ open }) {
    const socket = await open();
    socket.json.send({ a: ["b", null] });
    assert.deepEqual(await heard(socket, "message"), [{ a: ["b", null] }]);
  },

  async "a plain message is acknowledged"({ open }) {
    const socket = await open();
    await bounded("the acknowledgement", (done) => socket.send("plain", done));
  },

  async "a broadcast reaches the others"({ open, fresh }) {
    const [sender, other] = [await open(), await open()];
    const event = fresh();
    const own = collect(sender, event);
    const heardIt = heard(other, event);
    await acknowledged(sender, "broadcast", event, 1);
    assert.deepEqual(await heardIt, [1]);
    assert.deepEqual(own, []);
  },

  async "an event for all reaches all"({ open, fresh }) {
    const [sender, other] = [await open(), await open()];
    const event = fresh();
    const heardBy = [heard(sender, event), heard(other, event)];
    sender.emit("all", event, { n: 1 });
    assert.deepEqual(await Promise.all(heardBy), [[{ n: 1 }], [{ n: 1 }]]);
  },

  async "a room holds who joined it"({ open, fresh }) {
    const [member, sender, outsider] = [await open(), await open(), await open()];
    const [room, event] = [fresh(), fresh()];
    assert.deepEqual(await acknowledged(member, "join", room), [[room]]);
    const seen = collect(outsider, event);
    const heardIt = heard(member, event);
    await acknowledged(sender, "to", room, event, "in");
    assert.deepEqual(await heardIt, ["in"]);
    assert.deepEqual(await acknowledged(member, "leave", room), [[]]);
    await acknowledged(outsider, "to", room, event, "gone");
    assert.deepEqual(seen, []);
  },

  async "joins a namespace"({ open }) {
    const custom = (await open()).of("/custom");
    assert.deepEqual(await heard(custom, "news"), [{ hello: "world" }]);
    custom.emit("message", "there");
    assert.deepEqual(await heard(custom, "message-back"), ["there"]);
    assert.deepEqual(await acknowledged(custom, "message-with-ack", 7), [7]);
  },

  async "namespaces are apart"({ open, fresh }) {
    const [one, two] = [await open(), await open()];
    const [oneCustom, twoCustom] = [one.of("/custom"), two.of("/custom")];
    await Promise.all([heard(oneCustom, "news"), heard(twoCustom, "news")]);
    const event = fresh();
    const inRoot = collect(two, event);
    const heardIt = heard(twoCustom, event);
    await acknowledged(oneCustom, "broadcast", event);
    await heardIt;
    await acknowledged(two, "message-with-ack");
    assert.deepEqual(inRoot, []);
  },

  async "a namespace refuses"({ open }) {
    const forbidden = (await open()).of("/forbidden");
    assert.deepEqual(await heard(forbidden, "connect_failed"), ["unauthorized"]);
  },

  async "a handshake is refused"({ dial }) {
    assert.deepEqual(await heard(dial("?authorize=no"), "error"), ["handshake unauthorized"]);
  },

  async "the query reaches the server"({ open }) {
    const [seen] = await acknowledged(await open("?token=a%20b"), "handshake");
    assert.equal(seen.query.token, "a b");
  },

  async "is disconnected"({ open }) {
    const socket = await open();
    const ended = heard(socket, "disconnect");
    socket.emit("disconnect-me");
    assert.deepEqual(await ended, ["booted"]);
  },

  async "disconnects"({ open, fresh }) {
    const [leaver, watcher] = [await open(), await open()];
    const room = fresh();
    await acknowledged(leaver, "join", room);
    const ended = heard(leaver, "disconnect");
    leaver.disconnect();
    assert.deepEqual(await ended, ["booted"]);
    const gone = async () => (await acknowledged(watcher, "count", room))[0] === 0;
    await bounded("the server to notice", async (done) => {
      while (!(await gone()));
      done();
    });
  },

  async "heartbeats keep it open"({ open }) {
    const socket = await open();
    const ended = collect(socket, "disconnect");
    await new Promise((over) => setTimeout(over, HEARTBEAT_LIFETIME + 500));
    assert.deepEqual(ended, []);
    assert.deepEqual(await acknowledged(socket, "message-with-ack", "still here"), ["still here"]);
  },
};

main();

async function main() {
  process.on("uncaughtException", (error) => {
    console.log(`FAIL  the client threw: ${error.stack}`);
    process.exit(1);
  });
  const outcomes = (await Promise.all(TRANSPORTS.map(checkAll))).flat();
  if (outcomes.length === 0) {
    console.error(`no check's line contains ${process.env.CHECKS}`);
    process.exit(2);
  }
  const failed = outcomes.filter((passed) => !passed).length;
  console.log(`${outcomes.length - failed} passed, ${failed} failed`);
  process.exit(failed > 0 ? 1 : 0); // the client's own timers would keep the process
}

async function checkAll(transport) {
  const outcomes = [];
  for (const [title, check] of Object.entries(CHECKS)) {
    const name = `${transport}: ${title}`;
    if (name.includes(process.env.CHECKS ?? "")) outcomes.push(await passes(name, check, transport));
  }
  return outcomes;
}

async function passes(name, check, transport) {
  const sockets = [];
  const dial = (query = "") => {
    io.transports = [transport]; // as an option it would be merged into this very array, element by element
    const socket = io.connect(url + query, { "force new connection": true, reconnect: false });
    sockets.push(socket);
    return socket;
  };
  const open = async (query) => {
    const socket = dial(query);
    await heard(socket, "news");
    return socket;
  };
  const fresh = () => `${transport}-${Math.random().toString(36).slice(2)}`;
  try {
    await check({ dial, open, fresh, transport });
    console.log(`ok    ${name}`);
    return true;
  } catch (error) {
    console.log(`FAIL  ${name}\n      ${error.message.replaceAll("\n", "\n      ")}`);
    return false;
  } finally {
    // One whose handshake was refused has no transport, and cannot be told to disconnect.
    for (const socket of sockets) if (socket.socket.transport) socket.disconnect();
  }
}

/** The arguments of the next such event. */
function heard(emitter, event) {
  return bounded(`the event ${JSON.stringify(event)}`, (done) => emitter.once(event, (...args) => done(args)));
}

/** The arguments of every such event from now on. */
function collect(emitter, event) {
  const seen = [];
  emitter.on(event, (...args) => seen.push(args));
  return seen;
}

/** Emits, and waits for the arguments of the acknowledgement. */
function acknowledged(socket, event, ...args) {
  return bounded(`the acknowledgement of ${JSON.stringify(event)}`, (done) =>
    socket.emit(event, ...args, (...answer) => done(answer)),
  );
}

function bounded(what, start) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what} did not come within ${PATIENCE} ms`)), PATIENCE);
    const done = (value) => {
      clearTimeout(timer);
      resolve(value);
    };
    Promise.resolve(start(done)).catch(reject);
  });
}
