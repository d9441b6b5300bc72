// What the releases 1 and 2 of the package do otherwise than today's.
"use strict";

const { URL } = require("url");

const queries = new WeakMap(); // of a client, by namespace

/** Keeps the queries of namespaces, which those releases merge into that of the request. */
exports.keepQueries = function keepQueries(io) {
  if (!io.origins) return;
  const prototype = Object.getPrototypeOf(io.of("/"));
  const { add } = prototype;
  prototype.add = function (client, query, ...more) {
    if (!queries.has(client)) queries.set(client, {});
    queries.get(client)[this.name] = typeof query === "function" ? {} : query; // before 1.5 there is none
    return add.call(this, client, query, ...more);
  };
};

/** What came with CONNECT. */
exports.authOf = function authOf({ handshake, client, nsp }) {
  return handshake.auth ?? queries.get(client)[nsp.name] ?? {};
};

/** The query of the handshake request. */
exports.queryOf = function queryOf({ handshake, request }) {
  return handshake.auth ? handshake.query : Object.fromEntries(new URL(request.url, "http://localhost").searchParams);
};

/** `join` or `leave`, which take a callback there and give a promise, or nothing, here. */
exports.moved = function moved(socket, verb, room) {
  if (socket[verb].length < 2) return socket[verb](room);
  return new Promise((done) => socket[verb](room, done));
};

exports.roomsOf = function roomsOf({ id, rooms }) {
  const names = rooms instanceof Set ? [...rooms] : Object.keys(rooms);
  return names.filter((name) => name !== id).sort();
};

exports.sizeOf = function sizeOf({ rooms }, name) {
  if (rooms instanceof Map) return rooms.get(name)?.size ?? 0;
  return Object.hasOwn(rooms, name) ? rooms[name].length : 0;
};

/** Emits, and gives the answer, or an error first when it is late. */
exports.emitWithin = function emitWithin(socket, ms, event, callback) {
  if (socket.timeout) return socket.timeout(ms).emit(event, callback);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    callback(new Error("late"));
  }, ms);
  socket.emit(event, (...answer) => {
    clearTimeout(timer);
    if (!late) callback(null, ...answer);
  });
};
