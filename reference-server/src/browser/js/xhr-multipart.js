/**
 * xhr-multipart: one response of type multipart/x-mixed-replace that never ends, each part a packet.
 *
 * Read as the text grows: no browser of today takes such a response apart for a script.
 */
(function (io) {
  'use strict';

  var LIMIT = 16e6; // characters; the text so far is kept by the browser, so the stream is opened anew from here

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
        parts = parts || splitter(xhr.getResponseHeader('Content-Type'));
        if (!parts) return on.close('not multipart');
        parts(xhr.responseText).forEach(on.data);
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

  /** A function that takes the text so far and gives the bodies of the parts completed since it was last called. */
  function splitter(type) {
    var boundary = /^multipart\/x-mixed-replace\s*;.*boundary="?([^";]+)/i.exec(type || '');
    if (!boundary) return null;
    var delimiter = '--' + boundary[1], at = -1;
    return function (text) {
      var bodies = [], end;
      if (at < 0 && text.indexOf(delimiter) === 0 && text.length > delimiter.length) at = delimiter.length;
      while (at >= 0 && (end = text.indexOf('\n' + delimiter, at)) >= 0) {
        var part = /^\r?\n(?:[^\r\n]+\r?\n)*\r?\n([\s\S]*)$/.exec(text.slice(at, end));
        if (part) bodies.push(part[1].replace(/\r$/, ''));
        at = end + 1 + delimiter.length;
      }
      return bodies;
    };
  }
})(window.io);
