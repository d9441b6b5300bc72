/** jsonp-polling: scripts that call io.j[i](payload), and forms posted into a hidden iframe. Any origin, any browser. */
(function (io) {
  'use strict';

  io.transports.push('jsonp-polling');
  io.Transport['jsonp-polling'] = {
    check: function () {
      return true;
    },

    open: function (target, on) {
      var script, closed = false, index = io.j.length;
      var queue = io.postQueue(function (payload, done) {
        postForm(target.url('i=' + index), JSON.stringify(payload), done);
      }, on.close);

      function next() {
        script = load(target.url('i=' + index), index, function (error, payload) {
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
            script.abort();
          });
        }
      };
    }
  };

  /** A handshake without XMLHttpRequest: done(error, text, status), with status 403 where the server refused. */
  io.jsonpHandshake = function (url, done) {
    var index = io.j.length;
    return load(url + (url.indexOf('?') < 0 ? '?' : '&') + 'jsonp=' + index, index, function (error, text) {
      done(error, text, error instanceof Error ? 403 : error ? 0 : 200);
    });
  };

  // Loads a script that calls io.j[index](text or an Error), then calls done(error, text) once.
  function load(url, index, done) {
    var script = document.createElement('script'), finished = false;
    function finish(error, text) {
      if (finished) return;
      finished = true;
      // Not deleted: a script on its way runs even when its element is gone.
      io.j[index] = function () {};
      script.onload = script.onerror = null;
      document.body.removeChild(script);
      if (done) done(error, text);
    }
    io.j[index] = function (answer) {
      if (answer instanceof Error) finish(answer);
      else finish('', answer);
    };
    // By then the call above has been made, if the script is what it should be.
    script.onload = script.onerror = function () {
      finish('no answer');
    };
    script.src = url;
    document.body.appendChild(script);
    return {
      abort: function () {
        done = null;
        finish();
      }
    };
  }

  // A new iframe each time: a second answer in the same one would be a step in the browser's history.
  function postForm(url, text, done) {
    var name = 'io-post-' + postForm.count++;
    var holder = document.createElement('div');
    holder.style.display = 'none';
    holder.innerHTML =
      '<iframe name="' + name + '"></iframe>' +
      '<form method="post" accept-charset="utf-8" target="' + name + '"><textarea name="d"></textarea></form>';
    document.body.appendChild(holder);
    var frame = holder.firstChild, form = holder.lastChild;
    var timer = setTimeout(finish, 20000, 'no answer');
    function finish(error) {
      clearTimeout(timer);
      frame.onload = null;
      // Not while the frame is still reporting that it has loaded.
      setTimeout(function () {
        document.body.removeChild(holder);
      }, 0);
      done(error);
    }
    frame.onload = function () {
      if (!isBlank(frame)) finish('');
    };
    form.action = url;
    form.firstChild.value = text;
    form.submit();
  }
  postForm.count = 0;

  // Some browsers report the empty page that a new frame starts with.
  function isBlank(frame) {
    try {
      return frame.contentWindow.location.href === 'about:blank';
    } catch (otherOrigin) {
      return false;
    }
  }
})(window.io);
