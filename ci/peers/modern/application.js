// The events of the contract, for one socket of one namespace.
"use strict";

const { authOf, emitWithin, moved, queryOf, roomsOf, sizeOf } = require("./releases.js");

module.exports = function contract(socket) {
  const { nsp } = socket;

  // A row that answers through the acknowledgement itself. The package hands it over as a last argument; without one
  // asked for, the answer goes nowhere.
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

  socket.emit("auth", authOf(socket));

  on("message", (...args) => socket.emit("message-back", ...args));
  answering("message-with-ack", (ack, ...args) => ack(...args));

  for (const verb of ["join", "leave"]) {
    answering(verb, async (ack, room) => {
      await moved(socket, verb, room);
      ack(roomsOf(socket));
    });
  }
  on("broadcast", (event, ...args) => socket.broadcast.emit(event, ...args));
  on("all", (event, ...args) => nsp.emit(event, ...args));
  on("to", (room, event, ...args) => socket.to(room).emit(event, ...args));
  on("in", (room, event, ...args) => nsp.in(room).emit(event, ...args));
  if (nsp.except) on("except", (room, event, ...args) => nsp.except(room).emit(event, ...args)); // from 4.0 on

  on("volatile", (event, ...args) => socket.volatile.emit(event, ...args));
  on("volatile-all", (event, ...args) => nsp.volatile.emit(event, ...args));

  on("ask", (...args) => socket.emit("question", ...args, (...answer) => socket.emit("answer", ...answer)));
  on("ask-timeout", (ms) =>
    emitWithin(socket, ms, "question", (late, ...answer) => {
      if (late) socket.emit("answer-timeout");
      else socket.emit("answer", ...answer);
    }),
  );

  on("binary", (n) => {
    const part = (_, k) => ({ part: k, data: Buffer.from([1, 2, 3, k]) });
    socket.emit("binary", ...Array.from({ length: n }, part));
  });
  on("burst", (n, event, ...payload) => {
    for (let k = 0; k < n; k++) socket.emit(event, k, ...payload);
  });

  socket.on("disconnect-me", (close) => socket.disconnect(close === true));
  socket.on("last-words", (n, event, close) => {
    for (let k = 0; k < n; k++) socket.emit(event, k);
    socket.disconnect(close === true);
  });

  answering("count", (ack, room) => ack(sizeOf(nsp.adapter, room)));
  answering("handshake", (ack) =>
    ack({ query: queryOf(socket), headers: socket.handshake.headers, auth: authOf(socket) }),
  );
  socket.on("disconnect", () => socket.join("departed"));
};
