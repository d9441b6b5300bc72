/**
 * htmlfile: a page that never ends, in a hidden iframe, whose scripts call parent.s._(payload, document).
 *
 * Its parent is a document of our own, so the page keeps its global names: an ActiveX "htmlfile" where there is one
 * (it shows no loading indicator), else an empty iframe. The server must have the page's origin.
 */
(function (io) {
  'use strict';

  io.transports.push('htmlfile');
  io.Transport.htmlfile = {
    check: function (target) {
      return !target.cross && io.canRequest(target);
    },

    open: function (target, on) {
      var parent = window.ActiveXObject ? activeParent() : frameParent();
      var queue = io.xhrQueue(target, on.close);
      var stream = parent.document.createElement('iframe');
      parent.window.s = {
        _: function (payload, document) {
          on.data(payload);
          // A script that ran is of no more use; left in place they would pile up.
          var script = document.getElementsByTagName('script')[0];
          if (script) script.parentNode.removeChild(script);
        }
      };
      // The page has loaded: the server ended it, or it was never there.
      stream.onload = function () {
        on.close('stream ended');
      };
      stream.src = target.url();
      parent.document.body.appendChild(stream);
      setTimeout(on.open, 0);
      return {
        send: queue.send,
        close: function () {
          queue.drain(function () {
            stream.onload = null;
            stream.src = 'about:blank';
            parent.remove();
          });
        }
      };
    }
  };

  function frameParent() {
    var frame = document.createElement('iframe');
    frame.style.display = 'none';
    document.body.appendChild(frame);
    write(frame.contentWindow.document);
    return {
      window: frame.contentWindow,
      document: frame.contentWindow.document,
      remove: function () {
        document.body.removeChild(frame);
      }
    };
  }

  function activeParent() {
    var file = new window.ActiveXObject('htmlfile');
    write(file);
    return {
      window: file.parentWindow,
      document: file,
      remove: function () {
        file = null;
        window.CollectGarbage();
      }
    };
  }

  function write(document) {
    document.open();
    document.write('<!doctype html><html><body></body></html>');
    document.close();
  }
})(window.io);
