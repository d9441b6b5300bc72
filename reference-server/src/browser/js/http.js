/** Requests, WebSockets, and the queue of posts that the other transports send through. */
(function (io) {
  'use strict';

  var POST_TIMEOUT = 20000; // ms

  /** Can this browser ask that server by XMLHttpRequest? */
  io.canRequest = function (target) {
    return !!window.XMLHttpRequest && (!target.cross || 'withCredentials' in new XMLHttpRequest());
  };

  /**
   * Sends one request and calls done(error, text, status) once: error is '' for a 200, the body or what failed
   * otherwise, with status 0 where there was no answer. timeout in ms, 0 for none. Gives { abort() }.
   */
  io.request = function (target, method, url, body, timeout, done) {
    var xhr = new XMLHttpRequest(), finished = false;
    function finish(error) {
      if (finished) return;
      finished = true;
      done(error, error ? '' : xhr.responseText, error === 'no answer' ? 0 : xhr.status);
    }
    xhr.open(method, url, true);
    xhr.timeout = timeout;
    xhr.withCredentials = target.credentials;
    xhr.onload = function () {
      finish(xhr.status === 200 ? '' : xhr.responseText || 'status ' + xhr.status);
    };
    xhr.onerror = xhr.ontimeout = function () {
      finish('no answer');
    };
    // A string goes as text/plain, which needs no preflight on another origin.
    xhr.send(body);
    return {
      abort: function () {
        finished = true;
        xhr.abort();
      }
    };
  };

  /** A link over the browser's own WebSocket. */
  io.openWebSocket = function (target, on) {
    var socket = new WebSocket(target.url().replace(/^http/, 'ws'));
    socket.onopen = on.open;
    socket.onmessage = function (message) {
      on.data(message.data);
    };
    // An error is always followed by this.
    socket.onclose = function () {
      on.close('socket closed');
    };
    return {
      send: function (texts) {
        texts.forEach(function (text) {
          socket.send(text);
        });
      },
      close: function () {
        socket.close();
      }
    };
  };

  /**
   * Posts packets in order: one post at a time, and what is sent meanwhile goes in the next as one payload.
   * post(payload, done(error)) does one; failed(error) is told of the first that fails.
   */
  io.postQueue = function (post, failed) {
    var waiting = [], busy = false, idle = [];
    function next() {
      if (!waiting.length) {
        busy = false;
        while (idle.length) idle.shift()();
        return;
      }
      busy = true;
      post(io.packet.encodePayload(waiting.splice(0)), function (error) {
        if (error) {
          waiting = [];
          failed(error);
        }
        next();
      });
    }
    return {
      send: function (texts) {
        waiting.push.apply(waiting, texts);
        if (!busy && waiting.length) next();
      },
      /** Calls then() once nothing is on its way. */
      drain: function (then) {
        idle.push(then);
        if (!busy) next();
      }
    };
  };

  /** A queue that posts by XMLHttpRequest to the transport's own address. */
  io.xhrQueue = function (target, failed) {
    return io.postQueue(function (payload, done) {
      io.request(target, 'POST', target.url(), payload, POST_TIMEOUT, done);
    }, failed);
  };
})(window.io);
