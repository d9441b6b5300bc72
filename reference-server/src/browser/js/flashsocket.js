/** flashsocket: WebSocket as a Flash movie spoke it for browsers that had none; here it is the browser's own. */
(function (io) {
  'use strict';

  io.transports.push('flashsocket');
  io.Transport.flashsocket = {
    check: function () {
      return !!window.WebSocket;
    },
    open: io.openWebSocket
  };
})(window.io);
