// The contract application for the package socket.io, from 1.0 on. The package is looked up in the current directory:
//
//   cd ci/peers/socket.io-4.8.4 && PORT=0 node ../modern/contract.js
//
// PORT may be 0 for a free one. Prints one line when it listens:
//
//   {"listening":"http://127.0.0.1:41007"}
//
// PAGES=1 is for browsers: they are slower than the wire, and see the offsets of recovery as arguments. ALLOW_EIO3=1 lets a
// release from 3.0 on serve clients of Engine.IO 3, too. What happens to an event is in `application.js`, what the releases
// differ in is in `releases.js`. A release ignores an option that it does not know.
"use strict";

const http = require("http");
const { createRequire } = require("module");
const path = require("path");

const contract = require("./application.js");
const { keepQueries } = require("./releases.js");

const peer = createRequire(path.resolve("peer.js"));
const ofSocketIo = createRequire(peer.resolve("socket.io"));

const ALLOWED_ORIGIN = "http://allowed.example";
const NO_ORIGIN = "*"; // what the releases before 3.0 say for it

const forPages = process.env.PAGES === "1";
const options = {
  pingInterval: 300,
  pingTimeout: forPages ? 2000 : 200,
  connectTimeout: 1000,
  maxHttpBufferSize: 1e6,
  allowEIO3: process.env.ALLOW_EIO3 === "1",
  cors: { origin: [ALLOWED_ORIGIN], credentials: true },
  origins: (origin, decide) => decide(null, [ALLOWED_ORIGIN, NO_ORIGIN].includes(origin) || isOwn(origin)), // before 3.0
};

/** Whether an origin, or the page that a referrer names, is of this server. */
function isOwn(origin) {
  return URL.canParse(origin) && new URL(origin).host === `127.0.0.1:${server.address().port}`;
}

const server = http.createServer((_request, response) => {
  response.statusCode = 404;
  response.end();
});

// To clients of Engine.IO 3 the package would send its offsets, too, which they take for arguments.
const recovery = options.allowEIO3 || forPages ? {} : { connectionStateRecovery: {} };
const io = peer("socket.io")(server, { ...options, ...recovery });
keepQueries(io);
for (const nsp of ["/", "/custom"]) io.of(nsp).on("connection", contract);
if (io.parentNsps) io.of(/^\/dynamic-\d+$/).on("connection", contract); // from 2.1 on
io.of("/forbidden").use((socket, next) => {
  const refusal = new Error("not authorized");
  // A client of Engine.IO 3 would be told the data in the place of the message.
  if (socket.conn.protocol === 4) refusal.data = { reason: "forbidden" };
  next(refusal);
});

// Raw Engine.IO, with the engine that the package brings along. Each leaves the other's WebSockets alone.
ofSocketIo("engine.io")
  .attach(server, { ...options, path: "/engine.io", destroyUpgrade: false })
  .on("connection", (socket) => socket.on("message", (data) => socket.send(data)));

process.on("uncaughtException", survive);
server.listen(Number(process.env.PORT || 0), "127.0.0.1", () => {
  console.log(JSON.stringify({ listening: `http://127.0.0.1:${server.address().port}` }));
});

/** A peer that ends at what one client sends could not be judged by the others. */
function survive(error) {
  if (error.syscall === "listen") throw error;
  console.error(`socket.io threw: ${error.message}`);
}
