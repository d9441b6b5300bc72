/** websocket: one packet a message, both ways. */
(function (io) {
  'use strict';

  io.transports.push('websocket');
  io.Transport.websocket = {
    check: function () {
      return !!window.WebSocket;
    },
    open: io.openWebSocket
  };
})(window.io);
