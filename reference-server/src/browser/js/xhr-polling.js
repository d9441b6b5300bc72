/** xhr-polling: a GET that the server answers when it has something to say, again and again. */
(function (io) {
  'use strict';

  io.transports.push('xhr-polling');
  io.Transport['xhr-polling'] = {
    check: io.canRequest,

    open: function (target, on) {
      var poll, closed = false;
      var queue = io.xhrQueue(target, on.close);

      function next() {
        poll = io.request(target, 'GET', target.url(), null, 0, function (error, payload) {
          // An empty answer is no packet; asking again at once would be a busy loop.
          if (error || !payload) return on.close(error || 'empty poll');
          on.data(payload);
          if (!closed) next();
        });
      }

      next();
      setTimeout(on.open, 0);
      return {
        send: queue.send,
        close: function () {
          closed = true;
          queue.drain(function () {
            poll.abort();
          });
        }
      };
    }
  };
})(window.io);
