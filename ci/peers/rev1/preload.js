// Loaded with `node -r` before a Socket.IO 0.7–0.9 package: gives back what those packages were written against and a
// current Node no longer has. It concerns the host only; nothing here knows the protocol.
"use strict";

const crypto = require("crypto");
const events = require("events");
const http = require("http");
const Module = require("module");
const net = require("net");
const util = require("util");

process.noDeprecation = true; // new Buffer(…) and url.parse(…) on every request

// Names that moved.
process.EventEmitter = events.EventEmitter;
const loadModule = Module._load;
Module._load = (name, ...rest) => (name === "sys" ? util : loadModule(name, ...rest));
const toStderr = (...words) => process.stderr.write(`${words.join(" ")}\n`);
for (const name of ["print", "puts", "debug", "error"]) util[name] ??= toStderr;

// A string given to a hash without an encoding used to be bytes, one a character. The hixie-76 challenge counts on it.
const createHash = crypto.createHash;
crypto.createHash = (...how) => {
  const hash = createHash(...how);
  const update = hash.update.bind(hash);
  hash.update = (data, encoding) => update(data, encoding ?? (typeof data === "string" ? "latin1" : undefined));
  return hash;
};

// listen(port) used to be written without a host, which is every interface. Peers are for this machine.
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ...rest) {
  if (typeof port === "number" && typeof rest[0] !== "string") rest.unshift("127.0.0.1");
  return listen.call(this, port, ...rest);
};

const createServer = http.createServer;
http.createServer = (...how) => {
  const server = createServer(...how);
  // Only the package decides how long a connection lives.
  server.keepAliveTimeout = 0;
  server.headersTimeout = 0;
  server.requestTimeout = 0;
  server.timeout = 0;
  // An HTTP socket refuses setEncoding, and goes on refusing once upgraded; the hixie drafts read text from it.
  server.on("upgrade", (_request, socket) => delete socket.setEncoding);
  return server;
};
