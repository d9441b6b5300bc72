// The events of the contract, for one socket of one namespace.
"use strict";

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

  socket.emit("auth", socket.handshake.auth);

  on("message", (...args) => socket.emit("message-back", ...args));
  answering("message-with-ack", (ack, ...args) => ack(...args));

  const rooms = () => [...socket.rooms].filter((room) => room !== socket.id).sort();
  answering("join", async (ack, room) => {
    await socket.join(room);
    ack(rooms());
  });
  answering("leave", async (ack, room) => {
    await socket.leave(room);
    ack(rooms());
  });
  on("broadcast", (event, ...args) => socket.broadcast.emit(event, ...args));
  on("all", (event, ...args) => nsp.emit(event, ...args));
  on("to", (room, event, ...args) => socket.to(room).emit(event, ...args));
  on("in", (room, event, ...args) => nsp.in(room).emit(event, ...args));
  on("except", (room, event, ...args) => nsp.except(room).emit(event, ...args));

  on("volatile", (event, ...args) => socket.volatile.emit(event, ...args));
  on("volatile-all", (event, ...args) => nsp.volatile.emit(event, ...args));

  on("ask", (...args) => socket.emit("question", ...args, (...answer) => socket.emit("answer", ...answer)));
  on("ask-timeout", (ms) =>
    socket.timeout(ms).emit("question", (late, ...answer) => {
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

  answering("count", (ack, room) => ack(nsp.adapter.rooms.get(room)?.size ?? 0));
  answering("handshake", (ack) => {
    const { query, headers, auth } = socket.handshake;
    ack({ query, headers, auth });
  });
  socket.on("disconnect", () => socket.join("departed"));
};
