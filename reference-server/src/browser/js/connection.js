/**
 * One session: handshake, the transport that carries it, and what happens when that fails.
 *
 * While connecting, a transport that fails or stays silent for the connect timeout gives way to the next, with the
 * same session id; none left is connect_failed. Later on a broken transport is opened once more with the same id, and
 * if that does not help the session is over: disconnect, then reconnection with a new handshake.
 *
 * A transport's open(target, on) gives a link { send(texts), close() } and reports by on.open() that it can send,
 * on.data(payload), and on.close(reason), at most once, where it ends by itself.
 */
(function (io) {
  'use strict';

  var REOPEN_DELAY = 100; // ms
  var ADVICE_RECONNECT = '0';

  io.Connection = function (target, options) {
    var connection = this;
    var namespaces = {};
    var outgoing = []; // encoded packets, kept while there is no link
    var link = null;
    var untried = []; // transports the next failure falls back to
    var silence = 0; // ms without a packet after which the transport counts as broken; 0: any
    var reopened = false;
    var attempts = 0, delay = 0;
    var openTimer, silenceTimer, retryTimer;
    var generation = 0; // of the handshake; answers to an earlier one are dropped

    io.emitter(connection);
    connection.options = options;
    connection.sessionid = '';
    connection.transport = null; // { name }
    connection.connected = connection.connecting = connection.reconnecting = false;

    connection.of = function (name, query) {
      name = name || '';
      if (!namespaces[name]) {
        namespaces[name] = new io.Socket(connection, name, query);
        if (connection.connected && name) namespaces[name].join();
      }
      return namespaces[name];
    };

    connection.forget = function (socket) {
      delete namespaces[socket.name];
    };

    connection.send = function (packet) {
      if (outgoing.length >= options['max buffered packets']) return publish('error', 'too many packets buffered');
      outgoing.push(io.packet.encode(packet));
      flush();
    };

    connection.connect = function () {
      if (connection.connected || connection.connecting || connection.reconnecting) return;
      attempt(wanted());
    };

    connection.disconnect = function () {
      if (connection.connected) connection.send({ type: 'disconnect' });
      over('booted');
    };

    // On the way out there is no time for a post; a WebSocket's end is seen by the server anyway.
    if (navigator.sendBeacon) {
      window.addEventListener('pagehide', function () {
        if (connection.connected) navigator.sendBeacon(address(connection.transport.name, 'disconnect=1'));
      });
    }

    function wanted() {
      return (options.transports || io.transports).filter(function (name) {
        return io.Transport[name];
      });
    }

    function attempt(names) {
      var mine = ++generation;
      connection.connecting = true;
      openTimer = setTimeout(answered, options['connect timeout'], 'handshake timeout', '', 0);
      handshake(names, answered);

      function answered(error, text, status) {
        if (mine !== generation) return;
        generation++;
        clearTimeout(openTimer);
        if (error) return refused(String(error.message || error), status);
        var fields = text.split(':');
        connection.sessionid = fields[0];
        silence = fields[1] ? (Number(fields[1]) + Number(fields[2])) * 1000 : 0;
        var offered = (fields[3] || '').split(',');
        untried = names.filter(function (name) {
          return offered.indexOf(name) >= 0 && io.Transport[name].check(connectionTarget(name));
        });
        tryNext();
      }
    }

    // By script where a request cannot be made, or where scripts are all that is asked for.
    function handshake(names, done) {
      var byScript = !io.canRequest(target) || (names.length === 1 && names[0] === 'jsonp-polling');
      if (byScript && io.jsonpHandshake) io.jsonpHandshake(address(), done);
      else io.request(connectionTarget(), 'GET', address(), null, options['connect timeout'], done);
    }

    function refused(reason, status) {
      connection.connecting = false;
      publish('error', reason);
      if (!connection.reconnecting) return;
      if (!status) return retry();
      connection.reconnecting = false;
      publish('reconnect_failed');
    }

    function tryNext() {
      if (untried.length) {
        var name = untried.shift();
        publish('connecting', name);
        return open(name);
      }
      connection.connecting = false;
      if (connection.reconnecting) retry();
      else publish('connect_failed', 'no transport left');
    }

    function open(name) {
      var transport = { name: name, ready: false };
      link = connection.transport = transport;
      openTimer = setTimeout(lost, options['connect timeout'], 'connect timeout');
      watch();
      var on = {
        open: mine(function () {
          transport.ready = true;
          if (connection.connected) clearTimeout(openTimer);
          flush();
        }),
        data: mine(receive),
        close: mine(lost)
      };
      try {
        transport.link = io.Transport[name].open(connectionTarget(name), on);
      } catch (forbidden) {
        setTimeout(on.close, 0, String(forbidden));
      }

      // What a transport reports after it was given up is dropped.
      function mine(listener) {
        return function (argument) {
          if (link === transport) listener(argument);
        };
      }
    }

    function receive(payload) {
      var from = link, texts = io.packet.decodePayload(payload);
      if (!texts) return lost('broken payload');
      texts.forEach(function (text) {
        var packet = io.packet.decode(text);
        if (packet && link === from) handle(packet);
      });
    }

    function handle(packet) {
      watch();
      reopened = false;
      if (packet.type === 'error' && packet.advice === ADVICE_RECONNECT) return expired();
      if (packet.type === 'disconnect' && !packet.endpoint) return over('booted');
      // Not the connect packet alone: one that an earlier transport lost is not sent again.
      if (connection.connecting) established();
      if (packet.type === 'heartbeat') return connection.send({ type: 'heartbeat' });
      var socket = namespaces[packet.endpoint || ''];
      if (socket) socket.receive(packet);
    }

    function established() {
      var again = connection.reconnecting, tries = attempts;
      clearTimeout(openTimer);
      connection.connecting = connection.reconnecting = false;
      connection.connected = link.ready = true;
      var waiting = outgoing;
      outgoing = [];
      each(function (socket) {
        if (socket.name) socket.join();
      });
      outgoing = outgoing.concat(waiting);
      flush();
      connection.fire('connect');
      if (namespaces['']) namespaces[''].receive({ type: 'connect' });
      if (again) publish('reconnect', connection.transport.name, tries);
    }

    function flush() {
      if (!connection.connected || !link || !link.ready) return;
      link.link.send(outgoing);
      outgoing = [];
    }

    function watch() {
      clearTimeout(silenceTimer);
      if (silence) silenceTimer = setTimeout(lost, silence, 'heartbeat timeout');
    }

    // The transport is of no more use.
    function lost(reason) {
      drop();
      if (connection.connecting) {
        if (!options['try multiple transports']) untried = [];
        return tryNext();
      }
      if (reopened) return over(reason);
      reopened = true;
      retryTimer = setTimeout(open, REOPEN_DELAY, connection.transport.name);
    }

    // The server does not know the session (any more).
    function expired() {
      if (!connection.connecting) return over('session expired');
      drop();
      if (untried.length) attempt(untried);
      else tryNext();
    }

    function over(reason) {
      var was = connection.connected;
      drop();
      generation++;
      clearTimeout(retryTimer);
      connection.connected = connection.connecting = connection.reconnecting = reopened = false;
      outgoing = [];
      if (was) {
        connection.fire('disconnect', reason);
        each(function (socket) {
          socket.ended(reason);
        });
      }
      if (was && reason !== 'booted' && options.reconnect && !connection.connecting) {
        attempts = 0;
        delay = options['reconnection delay'];
        connection.reconnecting = true;
        retry();
      }
    }

    function retry() {
      if (attempts >= options['max reconnection attempts']) {
        connection.reconnecting = false;
        return publish('reconnect_failed');
      }
      attempts++;
      publish('reconnecting', delay, attempts);
      retryTimer = setTimeout(function () {
        attempt(wanted());
      }, delay);
      delay = Math.min(delay * 2, options['reconnection limit']);
    }

    function drop() {
      clearTimeout(openTimer);
      clearTimeout(silenceTimer);
      var dropped = link;
      link = null;
      if (dropped && dropped.link) dropped.link.close();
    }

    function connectionTarget(name) {
      return {
        cross: target.cross,
        credentials: target.cross && options.credentials,
        url: function (query) {
          return address(name, query);
        }
      };
    }

    // The time keeps caches of old browsers from answering.
    function address(transport, query) {
      var path = [target.origin, options.resource, io.protocol, transport ? transport + '/' + connection.sessionid : ''];
      var parameters = ['t=' + new Date().getTime(), query, target.query];
      return path.join('/') + '?' + parameters.filter(Boolean).join('&');
    }

    function publish() {
      var event = arguments;
      connection.fire.apply(connection, event);
      each(function (socket) {
        socket.fire.apply(socket, event);
      });
    }

    function each(visit) {
      var all = Object.keys(namespaces).map(function (name) {
        return namespaces[name];
      });
      all.forEach(visit);
    }
  };
})(window.io);
