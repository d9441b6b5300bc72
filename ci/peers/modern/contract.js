// The contract application for the package socket.io, from 4.0 on. The package is looked up in the current directory:
//
//   cd ci/peers/socket.io-4.8.4 && PORT=0 node ../modern/contract.js
//
// PORT may be 0 for a free one. Prints one line when it listens:
//
//   {"listening":"http://127.0.0.1:41007"}
//
// What happens to an event is in `application.js`. An option that a release does not know is ignored by it.
"use strict";

const http = require("http");
const { createRequire } = require("module");
const path = require("path");

const contract = require("./application.js");

const peer = createRequire(path.resolve("peer.js"));
const ofSocketIo = createRequire(peer.resolve("socket.io"));

const options = {
  pingInterval: 300,
  pingTimeout: 200,
  connectTimeout: 1000,
  maxHttpBufferSize: 1e6,
  cors: { origin: ["http://allowed.example"], credentials: true },
};

const server = http.createServer((_request, response) => {
  response.statusCode = 404;
  response.end();
});

const io = peer("socket.io")(server, { ...options, connectionStateRecovery: {} });
for (const nsp of ["/", "/custom", /^\/dynamic-\d+$/]) io.of(nsp).on("connection", contract);
io.of("/forbidden").use((_socket, next) => {
  next(Object.assign(new Error("not authorized"), { data: { reason: "forbidden" } }));
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
