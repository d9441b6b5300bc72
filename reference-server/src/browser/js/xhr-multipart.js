/**
 * xhr-multipart: one response of type multipart/x-mixed-replace that never ends, each part a packet.
 *
 * Read as the text grows: no browser of today takes such a response apart for a script.
 */
(function (io) {
  'use strict';

  var LIMIT = 16e6; // characters; the text so far is kept by the browser, so the stream is opened anew from here

  var BOUNDARY = /^multipart\/x-mixed-replace\s*;.*boundary="?([^";]+)/i;

  io.transports.push('xhr-multipart');
  io.Transport['xhr-multipart'] = {
    check: function (target) {
      return io.canRequest(target) && 'onprogress' in new XMLHttpRequest();
    },

    open: function (target, on) {
      var xhr = new XMLHttpRequest(), parts = null, closed = false;
      var queue = io.xhrQueue(target, on.close);

      function read() {
        if (closed || !xhr.responseText) return;
        var boundary = BOUNDARY.exec(xhr.getResponseHeader('Content-Type') || '');
        if (!boundary) return on.close('not multipart');
        parts = parts || splitter(boundary[1]);
        var bodies = parts(xhr.responseText);
        if (!bodies) return on.close('broken part');
        bodies.forEach(on.data);
        if (xhr.responseText.length > LIMIT) on.close('stream full');
      }

      xhr.open('GET', target.url(), true);
      xhr.withCredentials = target.credentials;
      xhr.onprogress = read;
      xhr.onload = function () {
        read();
        on.close('stream ended');
      };
      xhr.onerror = function () {
        on.close('no answer');
      };
      xhr.send();
      setTimeout(on.open, 0);
      return {
        send: queue.send,
        close: function () {
          closed = true;
          queue.drain(function () {
            xhr.abort();
          });
        }
      };
    }
  };

  /**
   * A function that takes the text so far and gives the bodies of the parts completed since it was last called, or null
   * where the text is no such stream. Lines end as the first one does.
   */
  function splitter(boundary) {
    var delimiter = '--' + boundary, eol = '', at = 0, closed = false;
    return function (text) {
      var bodies = [];
      if (!eol) {
        var first = /^(.*?)(\r?\n)/.exec(text);
        if (!first) return bodies;
        if (first[1] !== delimiter) return null;
        eol = first[2];
        at = first[0].length;
      }
      for (;;) {
        var end = text.indexOf(eol + delimiter, at);
        var next = end < 0 ? -1 : text.indexOf(eol, end + eol.length);
        // The rest of the boundary's line may not be here yet.
        if (next < 0) return bodies;
        var more = text.slice(end + eol.length + delimiter.length, next);
        var part = text.slice(at, end), head = part.indexOf(eol + eol);
        var sound = !closed && head >= 0 && /^content-type: *text\/plain/im.test(part.slice(0, head));
        if (!sound || (more !== '' && more !== '--')) return null;
        bodies.push(part.slice(head + 2 * eol.length));
        closed = more === '--';
        at = next + eol.length;
      }
    };
  }
  io.Transport['xhr-multipart'].splitter = splitter;
})(window.io);
