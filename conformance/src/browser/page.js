// The page's side of a case: loads the client under test, and gives scripts of `.wire` files a few words to use it by.
//
// connect(options, namespace)  a socket, on the case's transport where options name none
// join(s, namespace)           another namespace of the same connection
// opened(s)                    its transport's name, once it is connected and greeted; null before
// transport(s), sid(s)         the transport's name; the session id
// TRANSPORT, CARRIER           the case's transport; what transport(s) says of it in the end
// emit(s, name, …)             sends an event
// acked(s, name, …)            the same, and promises the acknowledgement's arguments
// answer(s, name, f)           f's value (an array) is what the server's question is acknowledged with
// heard(s, name)               the arguments of every such event so far; what a step has looked at is not unexpected
// states(s)                    what became of the connection: connect, disconnect, upgrade, …
// bytes(1, 2)                  binary data; what is heard shows it as "0x0102"
(function () {
  'use strict';
  var GREETINGS = { rev1: 'news', eio3: 'auth', eio4: 'auth' };
  var OF_CONNECTION = [
    'connecting', 'connect', 'connect_failed', 'connect_error', 'connect_timeout', 'disconnect', 'error',
    'reconnecting', 'reconnect', 'reconnect_failed', 'reconnect_attempt', 'reconnect_error'
  ];
  // A page of the server's own has no settings; only what is not about a client works there.
  var settings = location.search.charAt(1) === '{' || /^\?%7B/.test(location.search)
    ? JSON.parse(decodeURIComponent(location.search.slice(1))) : {};
  var generation = settings.generation;
  var SLOW = settings.flash ? 3 : 1; // Flash is compiled anew for each page
  var LONG = 10000 * SLOW, SHORT = 150; // ms

  window.TRANSPORT = settings.transport || null;
  window.CARRIER = TRANSPORT === 'upgraded' ? 'websocket' : TRANSPORT;

  var records = [], lines = [], revision = 0, waiting = [], looking = [];
  var page = window.__page = {};

  function changed() {
    revision++;
    waiting.splice(0).forEach(function (go) { go(); });
  }

  function later(ms) {
    return new Promise(function (done) { setTimeout(done, ms); });
  }

  // --- what the harness calls -----------------------------------------------------------------------------------------

  var AsyncFunction = (async function () {}).constructor;

  page.run = function (script) {
    return new AsyncFunction(script)();
  };

  page.until = async function (script, seen) {
    if (seen === revision) {
      await Promise.race([later(SHORT), new Promise(function (go) { waiting.push(go); })]);
    }
    var at = revision;
    looking = [];
    try {
      var value = await new AsyncFunction('return (' + script + '\n)')();
      return { revision: at, value: plain(value), looked: looking };
    } catch (error) {
      return { revision: at, thrown: String(error), looked: [] };
    }
  };

  /** What stands before the comparison that a script ends with, and its value; "" where it is none. */
  page.left = async function (script) {
    for (var at = script.lastIndexOf(' === '); at > 0; at = script.lastIndexOf(' === ', at - 1)) {
      var left = script.slice(0, at);
      try {
        var value = plain(await new AsyncFunction('return (' + left + '\n)')());
        var text = String(JSON.stringify(value));
        return left + ' is ' + (text.length > 200 ? text.slice(0, 200) + '…' : text);
      } catch (error) { /* The script does not part here. */ }
    }
    return '';
  };

  page.commit = function (looked) {
    looked.forEach(function (look) {
      var record = records[look[0]];
      record.looked[look[1]] = Math.max(record.looked[look[1]] || 0, look[2]);
    });
  };

  page.console = function () {
    return lines.map(function (line) { return line.text; });
  };

  page.readConsole = function (number) {
    lines[number].read = true;
  };

  page.fence = async function () {
    var left = [];
    for (var record of records) {
      if (record.connected()) {
        var answered = await Promise.race([later(LONG), acked(record.socket, 'message-with-ack', 'fence')]);
        if (!answered) left.push('message-with-ack is not acknowledged');
      }
    }
    records.forEach(function (record) {
      var seen = {};
      record.events.forEach(function (event) {
        var number = seen[event.name] = (seen[event.name] || 0) + 1;
        if (number > (record.looked[event.name] || 0)) left.push(JSON.stringify([event.name].concat(event.args)));
      });
    });
    lines.forEach(function (line) {
      if (line.bad && !line.read) left.push('console: ' + line.text);
    });
    return left;
  };

  /** For a person, when the case has failed. */
  page.story = function () {
    return {
      console: page.console(),
      sockets: records.map(function (record) {
        return { transport: record.transport(), states: record.states, events: record.events };
      })
    };
  };

  // --- the console ----------------------------------------------------------------------------------------------------

  ['debug', 'log', 'info', 'warn', 'error'].forEach(function (level) {
    var original = console[level];
    console[level] = function () {
      note(level, [].map.call(arguments, String).join(' '), level === 'error');
      original.apply(console, arguments);
    };
  });
  window.addEventListener('error', function (event) {
    // A script or frame that cannot be loaded is an event without a message.
    if (event.message) note('uncaught', event.message, true);
  });
  window.addEventListener('unhandledrejection', function (event) {
    // The official client leaves the promises of a session of WebTransport that is over to themselves.
    note('uncaught', String(event.reason), !/^WebTransportError/.test(String(event.reason)));
  });

  function note(level, text, bad) {
    if (lines.length < 1000) lines.push({ text: level + ': ' + text.slice(0, 4096), bad: bad, read: false });
    show(level + ': ' + text);
    changed();
  }

  function show(text) {
    var log = document.getElementById('log');
    if (log && log.childNodes.length < 500) log.appendChild(document.createTextNode(text.slice(0, 500) + '\n'));
  }

  // --- sockets, the same for every client -----------------------------------------------------------------------------

  function Rev1(socket) {
    Record.call(this, socket, socket.fire ? 'fire' : '$emit');
  }
  Rev1.prototype = {
    transport: function () {
      var transport = this.socket.socket.transport;
      return transport ? transport.name : null;
    },
    sid: function () {
      return this.socket.socket.sessionid || null;
    }
  };

  function Modern(socket) {
    Record.call(this, socket, 'onevent');
    var record = this, manager = socket.io;
    function follow(engine) {
      if (!engine || engine.__followed) return;
      engine.__followed = true;
      engine.on('upgrade', function () { record.state('upgrade'); });
      engine.on('upgradeError', function () { record.state('upgrade_error'); });
    }
    OF_CONNECTION.forEach(function (name) {
      socket.on(name, function () { record.state(name); });
    });
    ['reconnect_attempt', 'reconnect', 'reconnect_failed'].forEach(function (name) {
      manager.on(name, function () { record.state(name); });
    });
    manager.on('open', function () { follow(manager.engine); });
    manager.on('reconnect_attempt', function () { setTimeout(function () { follow(manager.engine); }); });
    follow(manager.engine);
  }
  Modern.prototype = {
    transport: function () {
      var engine = this.socket.io.engine, transport = engine && engine.transport;
      if (!transport) return null;
      return transport.query && transport.query.j !== undefined ? 'jsonp' : transport.name;
    },
    sid: function () {
      var engine = this.socket.io.engine;
      return engine && engine.id || null;
    }
  };

  function Record(socket, way) {
    var record = this;
    record.socket = socket;
    record.number = records.push(record) - 1;
    record.events = [];
    record.states = [];
    record.looked = {};
    record.state = function (name) {
      if (record.states[record.states.length - 1] === name && /^reconnect/.test(name)) return;
      record.states.push(name);
      show(name);
      changed();
    };
    record.connected = function () {
      var last = record.states.filter(function (it) { return it === 'connect' || it === 'disconnect'; }).pop();
      return last === 'connect';
    };
    var original = socket[way];
    socket[way] = function (first) {
      var event = way === 'onevent' ? first.data.slice() : [].slice.call(arguments);
      if (way !== 'onevent' && OF_CONNECTION.indexOf(event[0]) >= 0) record.state(event[0]);
      else hear(event);
      return original.apply(socket, arguments);
    };
    function hear(event) {
      var args = event.slice(1).filter(function (it) { return typeof it !== 'function'; });
      if (record.events.length < 10000) record.events.push({ name: String(event[0]), args: plain(args) });
      show('heard ' + JSON.stringify([event[0]].concat(plain(args))));
      changed();
    }
  }

  function recordOf(socket) {
    var found = records.filter(function (record) { return record.socket === socket; })[0];
    if (!found) throw new Error('no socket of connect() or join()');
    return found;
  }

  function record(socket) {
    if (generation === 'rev1') new Rev1(socket);
    else new Modern(socket);
    return socket;
  }

  window.connect = function (options, namespace) {
    var all = {}, key;
    var defaults = generation === 'rev1' ? rev1Options() : modernOptions();
    for (key in defaults) all[key] = defaults[key];
    for (key in options || {}) all[key] = options[key];
    var url = location.origin + (namespace || '');
    if (generation === 'rev1') {
      // 0.8 and 0.9 merge a list of transports into their own by position.
      if (all.transports) io.transports = all.transports.slice();
      if (settings.client !== 'served') delete all.transports;
      if (options && options['connect timeout']) all['connect timeout'] *= SLOW;
      return record(io.connect(url, all));
    }
    return record(io(url, all));
  };

  function rev1Options() {
    var options = { 'force new connection': true, reconnect: false, 'connect timeout': LONG };
    if (settings.transport) options.transports = [settings.transport];
    return options;
  }

  function modernOptions() {
    var options = { forceNew: true, reconnection: false, timeout: LONG };
    var transport = settings.transport;
    if (transport) options.transports = { jsonp: ['polling'], upgraded: ['polling', 'websocket'] }[transport] || [transport];
    if (transport === 'jsonp') options.forceJSONP = true;
    if (settings.certificate) {
      var value = new Uint8Array(settings.certificate.match(/../g).map(function (it) { return parseInt(it, 16); }));
      options.transportOptions = { webtransport: { serverCertificateHashes: [{ algorithm: 'sha-256', value: value }] } };
    }
    return options;
  }

  window.join = function (socket, namespace, options) {
    return record(generation === 'rev1' ? socket.socket.of(namespace) : socket.io.socket(namespace, options));
  };

  window.transport = function (socket) { return recordOf(socket).transport(); };
  window.sid = function (socket) { return recordOf(socket).sid(); };
  window.states = function (socket) { return recordOf(socket).states.slice(); };

  window.opened = function (socket) {
    var record = recordOf(socket);
    if (!record.connected() || !heard(socket, GREETINGS[generation]).length) return null;
    return record.transport();
  };

  window.heard = function (socket, name) {
    var record = recordOf(socket);
    var events = record.events.filter(function (event) { return event.name === name; });
    looking.push([record.number, name, events.length]);
    return events.map(function (event) { return event.args; });
  };

  window.emit = function (socket) {
    socket.emit.apply(socket, [].slice.call(arguments, 1));
  };

  window.acked = function (socket) {
    var args = [].slice.call(arguments, 1);
    return new Promise(function (done, fail) {
      setTimeout(function () { fail(new Error(args[0] + ' is not acknowledged')); }, LONG);
      socket.emit.apply(socket, args.concat(function () { done(plain([].slice.call(arguments))); }));
    });
  };

  window.answer = function (socket, name, f) {
    socket.on(name, function () {
      var args = [].slice.call(arguments), done = args.pop();
      done.apply(null, f.apply(null, args));
    });
  };

  window.bytes = function () { return new Uint8Array(arguments).buffer; };

  /** Bytes as text, wherever they stand. */
  function plain(value) {
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      var view = value.buffer ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : new Uint8Array(value);
      return '0x' + [].map.call(view, function (it) { return (it < 16 ? '0' : '') + it.toString(16); }).join('');
    }
    if (Array.isArray(value)) return value.map(plain);
    if (value && Object.getPrototypeOf(value) === Object.prototype) {
      var copy = {};
      Object.keys(value).forEach(function (key) { copy[key] = plain(value[key]); });
      return copy;
    }
    return value;
  }

  // --- old browsers and poor ones --------------------------------------------------------------------------------------

  (settings.without || []).forEach(function (name) {
    try { delete window[name]; } catch (error) { /* It is shadowed below. */ }
    if (name in window) Object.defineProperty(window, name, { value: undefined, configurable: true, writable: true });
  });

  if ((settings.with || []).indexOf('htmlfile') >= 0) {
    // Internet Explorer's document without a window: here a hidden frame.
    window.CollectGarbage = function () {};
    window.ActiveXObject = function (name) {
      if (name !== 'htmlfile') throw new Error('no ' + name);
      if (!document.body) return {};
      var frame = document.createElement('iframe');
      frame.style.display = 'none';
      document.body.appendChild(frame);
      var inner = frame.contentDocument;
      Object.defineProperty(inner, 'parentWindow', { value: frame.contentWindow, configurable: true });
      return inner;
    };
  }

  function load(script) {
    document.write('<script src="' + script + '"></' + 'script>');
  }

  // Flash is Ruffle, and a WebSocket only where Ruffle makes one itself. The clients take theirs from Flash only where the
  // page has none when they are loaded.
  var Native = window.WebSocket;
  page.flash = {
    hide: function () { window.WebSocket = undefined; },
    show: function () {
      window.WebSocket = new Proxy(window.WebSocket, {
        construct: function (OfFlash, args) {
          return args[0] === settings.flash ? Reflect.construct(Native, args) : Reflect.construct(OfFlash, args);
        }
      });
    }
  };
  if (settings.flash) {
    window.RufflePlayer = {
      config: {
        publicPath: '/__conformance__/ruffle/',
        polyfills: true,
        autoplay: 'on',
        unmuteOverlay: 'hidden',
        splashScreen: false,
        preferredRenderer: 'canvas',
        logLevel: 'error',
        socketProxy: [{ host: location.hostname, port: Number(location.port), proxyUrl: settings.flash }]
      }
    };
    // The clients pass null, which browsers of their time took for no ports.
    var init = MessageEvent.prototype.initMessageEvent;
    MessageEvent.prototype.initMessageEvent = function () {
      return init.apply(this, [].map.call(arguments, function (it, at) { return at === 7 && it === null ? [] : it; }));
    };
    load('/__conformance__/ruffle/ruffle.js');
    document.write('<script>__page.flash.hide()</' + 'script>');
  }
  if (settings.script) load(settings.script);
  if (settings.flash) document.write('<script>__page.flash.show()</' + 'script>');
})();
