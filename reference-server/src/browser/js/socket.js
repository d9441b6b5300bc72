/**
 * One namespace of a connection: what io.connect gives.
 *
 * Events of its own: connecting(transport), connect, connect_failed(reason), disconnect(reason), error(reason),
 * reconnecting(delay, attempts), reconnect(transport, attempts), reconnect_failed, message(data), and what the
 * server emits. A listener gets a function as last argument where the server wants an acknowledgment with data.
 */
(function (io) {
  'use strict';

  // "message" is on the protocol's list as well, but applications do emit it.
  var RESERVED = ['connect', 'disconnect', 'open', 'close', 'error', 'retry', 'reconnect'];

  var REASONS = ['transport not supported', 'client not handshaken', 'unauthorized'];
  var UNAUTHORIZED = '2';

  io.Socket = function (connection, name, query) {
    var socket = this, acks = {}, lastId = 0;

    io.emitter(socket);
    socket.socket = connection;
    socket.name = name;
    socket.query = query;
    socket.connected = false;

    /** Emits an event; where the last argument is a function it gets the server's acknowledgment. */
    socket.emit = function (event) {
      if (RESERVED.indexOf(event) >= 0) throw new Error('"' + event + '" is a reserved event name');
      var args = [].slice.call(arguments, 1);
      var ack = typeof args[args.length - 1] === 'function' ? args.pop() : null;
      return send({ type: 'event', name: event, args: args }, ack, true);
    };

    /** Sends a text; ack is called when it has arrived, or by the server's application if it takes arguments. */
    socket.send = function (data, ack) {
      return send({ type: 'message', data: data }, ack, ack && ack.length);
    };

    socket.json = {
      /** As send, for any JSON value. */
      send: function (data, ack) {
        return send({ type: 'json', data: data }, ack, ack && ack.length);
      }
    };

    /** Another namespace of the same connection. */
    socket.of = function (other) {
      return connection.of(other);
    };

    /** Leaves the namespace; leaving the default one ends the connection. */
    socket.disconnect = function () {
      if (!name) return connection.disconnect();
      if (connection.connected) packet({ type: 'disconnect' });
      connection.forget(socket);
      socket.ended('booted');
    };

    socket.join = function () {
      packet({ type: 'connect', query: query && '?' + query });
    };

    socket.ended = function (reason) {
      acks = {};
      if (!socket.connected) return;
      socket.connected = false;
      socket.fire('disconnect', reason);
    };

    socket.receive = function (received) {
      switch (received.type) {
        case 'connect':
          if (socket.connected) return;
          socket.connected = true;
          return socket.fire('connect');
        case 'disconnect':
          return socket.ended('booted');
        case 'message':
        case 'json':
          return deliver(received, ['message', received.data]);
        case 'event':
          return deliver(received, [received.name].concat(received.args));
        case 'ack':
          var ack = acks[received.ackId];
          delete acks[received.ackId];
          return ack && ack.apply(socket, received.args);
        case 'error':
          var event = received.reason === UNAUTHORIZED ? 'connect_failed' : 'error';
          return socket.fire(event, REASONS[received.reason] || received.reason || '');
      }
    };

    function send(message, ack, withData) {
      if (ack) {
        message.id = ++lastId;
        if (withData) message.ack = 'data';
        acks[lastId] = ack;
      }
      packet(message);
      return socket;
    }

    function deliver(received, event) {
      if (received.ack === 'data') {
        event.push(function () {
          packet({ type: 'ack', ackId: received.id, args: [].slice.call(arguments) });
        });
      } else if (received.id) {
        packet({ type: 'ack', ackId: received.id });
      }
      socket.fire.apply(socket, event);
    }

    function packet(message) {
      message.endpoint = name;
      connection.send(message);
    }
  };
})(window.io);
