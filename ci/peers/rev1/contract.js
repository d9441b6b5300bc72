// The contract application for the packages socket.io 0.8 and 0.9. The package is looked up in the current directory:
//
//   cd ci/peers/socket.io-0.9.19 && PORT=0 node -r ../rev1/preload.js ../rev1/contract.js
//
// PORT and FLASH_POLICY_PORT may be 0 for a free one. Prints one line when both listen:
//
//   {"listening":"http://127.0.0.1:41007","flashPolicyPort":41008}
"use strict";

const http = require("http");
const { createRequire } = require("module");
const path = require("path");

const socketIo = createRequire(path.resolve("peer.js"))("socket.io");

const port = (name) => Number(process.env[name] || 0);

const server = http.createServer((_request, response) => {
  response.statusCode = 404;
  response.end();
});

const io = socketIo.listen(server, {
  log: false,
  transports: ["websocket", "flashsocket", "htmlfile", "xhr-polling", "jsonp-polling"],
  "heartbeat interval": 1,
  "heartbeat timeout": 2,
  "close timeout": 2,
  "polling duration": 1,
  "flash policy port": port("FLASH_POLICY_PORT"),
  "browser client etag": true,
  "browser client gzip": true,
  authorization(handshake, decide) {
    const { authorize } = handshake.query;
    decide(authorize === "error" ? "asked to fail" : null, authorize !== "no");
  },
});

allowOneOrigin("allowed.example:*");
for (const nsp of [io.sockets, io.of("/custom")]) {
  const kind = kindOfMessage(nsp);
  nsp.on("connection", (socket) => contract(nsp, socket, kind));
}
io.of("/forbidden").authorization((_handshake, decide) => decide(null, false));

process.on("uncaughtException", survive);
buildBundles().then(() => server.listen(port("PORT"), announce));

/**
 * Has the package build its client before anybody waits. It builds a bundle when one is first asked for and keeps it;
 * 0.9 is busy for half a second with each, and answers nobody meanwhile.
 */
async function buildBundles() {
  const head = { method: "HEAD", headers: {} };
  for (const bundle of ["", "+websocket", "+websocket+xhr-polling"]) {
    for (const version of ["", ".v0.9.16"]) {
      const path = `/socket.io${bundle}${version}.js`;
      await new Promise((end) => io.static.write(path, head, { writeHead() {}, end }));
    }
  }
}

function announce() {
  const policy = io.flashPolicyServer.socket;
  if (!policy.listening) return policy.once("listening", announce);
  const listening = `http://127.0.0.1:${server.address().port}`;
  console.log(JSON.stringify({ listening, flashPolicyPort: policy.address().port }));
}

/** The events of the contract, for one socket of one namespace. */
function contract(nsp, socket, kind) {
  // A row that answers through the acknowledgement itself. Without one asked for, the answer goes nowhere.
  const answering = (event, handler) =>
    socket.on(event, (...args) => {
      const ack = typeof args.at(-1) === "function" ? args.pop() : () => {};
      handler(ack, ...args);
    });
  // Every other row: an acknowledgement says that the work is done.
  const on = (event, handler) =>
    answering(event, (ack, ...args) => {
      handler(...args);
      ack();
    });

  socket.emit("news", { hello: "world" });

  on("message", (...args) => {
    if (kind() === "message") socket.send(args[0]);
    else if (kind() === "json") socket.json.send(args[0]);
    else socket.emit("message-back", ...args);
  });
  answering("message-with-ack", (ack, ...args) => ack(...args));

  answering("join", (ack, room) => ack(roomsOf(socket.join(room))));
  answering("leave", (ack, room) => ack(roomsOf(socket.leave(room))));
  on("broadcast", (event, ...args) => socket.broadcast.emit(event, ...args));
  on("all", (event, ...args) => nsp.emit(event, ...args));
  on("to", (room, event, ...args) => socket.broadcast.to(room).emit(event, ...args));
  on("in", (room, event, ...args) => nsp.in(room).emit(event, ...args));

  on("volatile", (event, ...args) => socket.volatile.emit(event, ...args));
  on("volatile-all", (event, ...args) => nsp.volatile.emit(event, ...args));

  on("ask", (...args) => ask(args, (...answer) => socket.emit("answer", ...answer)));
  on("ask-timeout", (ms) => {
    let inTime = true;
    const timer = setTimeout(() => {
      inTime = false;
      socket.emit("answer-timeout");
    }, ms);
    ask([], (...answer) => {
      clearTimeout(timer);
      if (inTime) socket.emit("answer", ...answer);
    });
  });
  // The package asks for a data acknowledgement only when the callback names a parameter, and keeps the callback after
  // the first answer.
  function ask(args, answered) {
    let pending = true;
    socket.emit("question", ...args, (first, ...rest) => {
      if (!pending) return;
      pending = false;
      answered(...(first === undefined ? [] : [first, ...rest]));
    });
  }

  on("burst", (n, event, ...payload) => {
    for (let i = 0; i < n; i++) socket.emit(event, i, ...payload);
  });

  on("disconnect-me", (close) => leave(close));
  on("last-words", (n, event, close) => {
    for (let i = 0; i < n; i++) socket.emit(event, i);
    leave(close);
  });
  const leave = (close) => (close === true ? io.sockets.socket(socket.id) : socket).disconnect();

  answering("count", (ack, room) => ack(nsp.clients(room).length));
  answering("handshake", (ack) => {
    const { query, headers } = socket.handshake;
    ack({ query, headers, auth: null });
  });
  socket.on("disconnect", () => socket.join("departed"));
}

/**
 * The rooms of a socket. The manager has one table for all namespaces, in which the room `r` of `/n` is `/n/r` and the
 * namespace is `/n`; so the root's own rooms are those with one slash that are no namespace.
 */
function roomsOf(socket) {
  const prefix = `${socket.namespace.name}/`;
  return Object.keys(io.roomClients[socket.id] ?? {})
    .filter((name) => name.startsWith(prefix) && !(name in io.namespaces))
    .map((name) => name.slice(prefix.length))
    .filter((room) => !room.includes("/"))
    .sort();
}

/**
 * What the namespace is handling right now: "message", "json" or "event". The package gives all three to the handler
 * called "message", from within handlePacket.
 */
function kindOfMessage(nsp) {
  let kind;
  const handlePacket = nsp.handlePacket;
  nsp.handlePacket = function (id, packet) {
    kind = packet.type;
    return handlePacket.call(this, id, packet);
  };
  return () => kind;
}

/**
 * The package can name the allowed origins, but then refuses whoever names none, as every client outside of a browser,
 * and the pages it served itself. Its check reads the setting while the request is taken in; so a request from no page
 * or from this server's own finds all origins allowed. The setting is written past `set`, which would change the flash
 * policy as well.
 */
function allowOneOrigin(origin) {
  const doors = { handleRequest: ["origin", "referer"], handleUpgrade: ["origin", "sec-websocket-origin"] };
  for (const [door, names] of Object.entries(doors)) {
    const handle = io[door];
    io[door] = function (request, ...rest) {
      const { headers } = request;
      const foreign = names.some((name) => name in headers && hostOf(headers[name]) !== headers.host);
      io.settings.origins = [foreign ? origin : "*:*"];
      return handle.call(this, request, ...rest);
    };
  }
  // The official client in Node sends its origin without a scheme.
  const hostOf = (origin) => origin.replace(/^\w+:\/\//, "").replace(/\/.*/, "");
}

/** Some malformed input makes the packages throw outside of any handler; a peer that ends there could not be judged. */
function survive(error) {
  if (error.syscall === "listen") throw error;
  console.error(`socket.io threw: ${error.message}`);
}
