/*! Socket.IO client, protocol revision 1 (the servers of 0.7 to 0.9). */

/**
 * io.connect(url, options) gives a Socket: on, emit, send, json.send, of, disconnect.
 *
 * url: "http://host:port/namespace?query", any part of it, or nothing at all (this page's own server).
 * The parts that follow: packet (text <-> packets), http (requests), socket (one namespace), connection (one session),
 * then the transports, each of which adds its name to io.transports.
 */
(function (io) {
  'use strict';

  io.protocol = 1;
  io.transports = []; // names, best first
  io.Transport = {}; // name -> { check(target) -> boolean, open(target, on) -> link }
  io.connections = {}; // "http://host:port" -> Connection
  io.j = []; // what jsonp scripts call, by index

  io.defaults = {
    resource: 'socket.io',
    transports: null, // names to use, in this order; null: io.transports
    'auto connect': true,
    'force new connection': false,
    'connect timeout': 10000, // ms for the handshake, then for each transport
    'try multiple transports': true,
    reconnect: true,
    'reconnection delay': 500, // ms before the first attempt; doubles with each
    'reconnection limit': 30000, // ms, the longest delay
    'max reconnection attempts': 10,
    'max buffered packets': 10000, // kept while there is no connection
    credentials: false // send cookies to another origin; that server must name this page's origin
  };

  io.connect = function (url, options) {
    if (url && typeof url === 'object') return io.connect('', url);
    var target = parse(url || '');
    options = settings(options);
    var connection = !options['force new connection'] && io.connections[target.origin];
    if (!connection) {
      connection = new io.Connection(target, options);
      if (!options['force new connection']) io.connections[target.origin] = connection;
    }
    var socket = connection.of(target.namespace, target.query);
    if (options['auto connect']) {
      whenLoaded(function () {
        connection.connect();
      });
    }
    return socket;
  };

  // { origin, cross: is it another origin than this page's, namespace: "" or "/name", query: "" or "a=b" }
  function parse(url) {
    var parts = /^(?:(?:(\w+):)?\/\/)?([^\/?#]*)([^?#]*)(?:\?([^#]*))?/.exec(url);
    var page = window.location;
    var secure = parts[1] ? /^(https|wss)$/.test(parts[1]) : page.protocol === 'https:';
    var origin = (secure ? 'https://' : 'http://') + (parts[2] || page.host).replace(secure ? /:443$/ : /:80$/, '');
    return {
      origin: origin,
      cross: origin !== page.protocol + '//' + page.host,
      namespace: parts[3] === '/' ? '' : parts[3],
      query: parts[4] || ''
    };
  }

  function settings(given) {
    var all = {}, name;
    for (name in io.defaults) all[name] = io.defaults[name];
    for (name in given || {}) all[name] = given[name];
    return all;
  }

  // A stream opened while the page loads would keep it loading.
  function whenLoaded(start) {
    var later = function () {
      setTimeout(start, 0);
    };
    if (document.readyState === 'complete') later();
    else window.addEventListener('load', later);
  }

  /** Gives `to` on, once, removeListener, removeAllListeners, and fire, which calls the listeners. */
  io.emitter = function (to) {
    var listeners = {};
    to.on = function (name, listener) {
      (listeners['$' + name] = listeners['$' + name] || []).push(listener);
      return to;
    };
    to.once = function (name, listener) {
      var once = function () {
        to.removeListener(name, once);
        listener.apply(to, arguments);
      };
      once.listener = listener;
      return to.on(name, once);
    };
    to.removeListener = function (name, listener) {
      listeners['$' + name] = (listeners['$' + name] || []).filter(function (each) {
        return each !== listener && each.listener !== listener;
      });
      return to;
    };
    to.removeAllListeners = function (name) {
      delete listeners['$' + name];
      return to;
    };
    to.fire = function (name) {
      var args = [].slice.call(arguments, 1);
      (listeners['$' + name] || []).slice().forEach(function (listener) {
        try {
          listener.apply(to, args);
        } catch (error) {
          rethrow(error);
        }
      });
    };
  };

  // The page is told, but its mistake does not stop the transport that brought the packet.
  function rethrow(error) {
    setTimeout(function () {
      throw error;
    }, 0);
  }
})((window.io = {}));
