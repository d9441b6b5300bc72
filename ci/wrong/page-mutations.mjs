// What a client or a server with pages may get wrong. A mutation is
//
//   cases    ids that have to fail
//   client   the client that is wrong, as the cases name it, and `script`: what is put behind its own
//   or the hooks of a proxy before the server; see proxy.mjs

const ORDER = ["websocket", "flashsocket", "htmlfile", "xhr-multipart", "xhr-polling", "jsonp-polling"];
const USUAL = { rev1: "served", eio3: "2.5", eio4: "4.8" };

/** All mutations by name. `idOf(scenario, client)` is the id of one case of a scenario. */
export function mutations(idOf) {
  const all = {};
  const client = (what, client, scenarios, script) => {
    all[`client ${client} ${what}`] = { cases: scenarios.map((it) => idOf(it, client)), client, script };
  };
  /** The same for the usual client of each generation: `scripts` by generation. */
  const clients = (what, names, scripts) => {
    for (const [generation, script] of Object.entries(scripts)) {
      client(what, USUAL[generation], names.map((name) => `${generation}/browser/${name}`), script);
    }
  };
  const rev1 = (...names) => names.map((name) => `rev1/browser/${name}`);
  const server = (what, scenario, client, hooks) => {
    all[`server ${what}`] = { cases: [idOf(scenario, client)], ...hooks };
  };

  // --- the order of transports ---------------------------------------------------------------------------------------

  const [wholeOrder] = rev1("refused-to-jsonp-polling");
  for (const name of ORDER) {
    client(`leaves ${name} out`, "served", [wholeOrder], `io.transports.splice(io.transports.indexOf("${name}"), 1);`);
    server(`leaves ${name} out`, wholeOrder, "served", { response: (answer) => without(answer, name) });
  }
  client("takes htmlfile before flashsocket", "served", [wholeOrder], `io.transports.splice(1, 2, "htmlfile", "flashsocket");`);
  client("begins with the last", "served", rev1("best"), "io.transports.reverse();");
  clients("begins with the last", ["upgrade"], modern("transports: [...options.transports].reverse()"));
  clients("polls first all the same", ["websocket-first"], modern('transports: ["polling", "websocket"]'));
  clients("tries a WebSocket all the same", ["polling-only"], modern('transports: ["polling", "websocket"]'));
  clients("does not know of JSONP", ["jsonp-forced"], { eio3: options("forceJSONP: false") });

  // --- what a page falls back to -------------------------------------------------------------------------------------

  const refused = ORDER.slice(1).flatMap((name) => rev1(`refused-to-${name}`, `reset-to-${name}`));
  const silent = ORDER.slice(0, -1).flatMap((name) => rev1(`silent-${name}`));
  const broken = rev1("mute-websocket", "stripped-websocket");
  const single = options('"try multiple transports": false', "io.connect");
  client("does not fall back", "served", [...refused, ...silent, ...broken], single);
  const official = ["htmlfile", "xhr-polling", "jsonp-polling"].flatMap((name) => rev1(`official-refused-to-${name}`));
  official.push(...["websocket", "htmlfile", "xhr-polling"].flatMap((name) => rev1(`official-silent-${name}`)));
  client("does not fall back", "0.9", official, single);
  client("goes on all the same", "served", rev1("one-only"), options('"try multiple transports": true', "io.connect"));
  const blind = "io.Transport.websocket.check = () => true;";
  client("does not look for a WebSocket", "0.9", rev1("official-missing-websocket"), blind);
  const path = `s.on("connect", () => fetch("/socket.io/1/websocket/" + s.socket.sessionid));`;
  client("asks for what the browser lacks", "served", rev1("missing-websocket"), made(path, "io.connect"));

  const upgrades = ["upgrade-hanging", "upgrade-mute", "upgrade-refused", "upgrade-reset", "upgrade-stripped"];
  clients("does not upgrade", ["upgrade", ...upgrades], modern("upgrade: false"));
  const stops = `for (const name of ["probe", "_probe"]) {
    const { engine } = s.io, probe = engine[name];
    if (probe) engine[name] = (to) => { engine.transport.pause(() => {}); probe.call(engine, to); };
  }`;
  clients("stops to poll before the upgrade", upgrades, { eio3: made(stops), eio4: made(stops) });
  const asks = `s.on("connect", () => fetch("/socket.io/?EIO=4&transport=websocket&sid=" + s.io.engine.id));`;
  clients("asks for what the browser lacks", ["upgrade-missing"], { eio3: made(asks), eio4: made(asks) });
  for (const generation of ["eio3", "eio4"]) {
    server(`offers ${USUAL[generation]} no upgrade`, `${generation}/browser/upgrade`, USUAL[generation], {
      open: (handshake) => ({ ...handshake, upgrades: [] }),
    });
  }
  const both = 'transports: ["websocket", "polling"], tryAllTransports: true';
  clients("tries another", ["try-one", "websocket-only-refused"], { eio4: options(both) });
  clients("tries another", ["websocket-only-refused"], { eio3: options('transports: ["polling", "websocket"]') });
  clients("stays with its first", ["try-all"], { eio4: options("tryAllTransports: false") });
  const polls = options('transports: ["polling"]');
  clients("does not upgrade at all", ["webtransport-blocked", "webtransport-missing"], { eio4: polls });
  clients("does not know of WebTransport", ["webtransport-upgrade"], { eio4: options('transports: ["polling", "websocket"]') });
  clients("says nothing of its failure", ["none-left"], { rev1: hears(`if (name !== "connect_failed") pass(name, ...args);`).rev1 });
  const quiet = made(`const on = s.on; s.on = (name, f) => (name === "connect_error" ? s : on.call(s, name, f));`);
  clients("says nothing of its failure", ["unreachable"], { eio3: quiet, eio4: quiet });

  // --- what a page sends and hears -----------------------------------------------------------------------------------

  clients("drops what acknowledges", ["ack"], everywhere(sends("args.map((it) => (typeof it === 'function' ? () => it() : it))")));
  const cuts = sends("args.map((it) => (typeof it === 'string' ? it.slice(0, 10000) : it))");
  clients("cuts long texts", ["event"], everywhere(cuts));
  client("cuts long texts", "1.7", ["eio3/browser/event-first"], cuts.modern);
  const { modern: turns } = sends("args.map((it) => (it instanceof ArrayBuffer ? new Uint8Array(it).reverse() : it))");
  clients("turns bytes around", ["binary"], { eio3: turns, eio4: turns });
  const { modern: nothing } = sends("args.map((it) => (it instanceof ArrayBuffer && !it.byteLength ? null : it))");
  clients("sends nothing for no bytes", ["binary-empty"], { eio3: nothing, eio4: nothing });
  const twice = `pass(name, ...args); if (name === "word") pass(name, ...args);`;
  clients("hears words twice", ["broadcast", "rooms"], everywhere(hears(twice)));
  const deaf = `if (name !== "word") pass(name, ...args);`;
  clients("hears no words", ["volatile"], everywhere(hears(deaf)));
  const late = `if (name === "tick" && args[0] === 4) s.late = args; else pass(name, ...args);
    if (name === "tick" && args[0] === 5) pass(name, ...s.late);`;
  clients("hears the fifth late", ["order"], everywhere(hears(late)));
  client("makes a request for each packet of a stream", "served", rev1("streaming"), REOPENS);

  // --- connections and their ends ------------------------------------------------------------------------------------

  clients("opens a connection for each namespace", ["namespaces"], {
    rev1: made(`s.socket.of = (name) => io.connect(location.origin + name, options);`, "io.connect"),
    eio3: made(`s.io.socket = (name) => of(location.origin + name, options);`),
    eio4: made(`s.io.socket = (name) => of(location.origin + name, options);`),
  });
  const gone = options("reconnect: false", "io.connect");
  clients("does not come back", ["lost", "restart"], { rev1: gone });
  client("does not come back", "0.8", rev1("lost-first", "lost-unseen", "restart-first"), gone);
  clients("does not come back", ["lost", "restart", "websocket-lost-later"], modern("reconnection: false"));
  const returns = `s.on("disconnect", () => setTimeout(() => s.connect(), 0));`;
  clients("comes back where it is told to leave", ["told-to-leave"], {
    rev1: made(`s.on("disconnect", () => setTimeout(() => s.socket.connect(), 0));`, "io.connect"),
    eio3: made(returns),
    eio4: made(returns),
  });
  return all;
}

// --- scripts that wrap a client ----------------------------------------------------------------------------------------

/** Options that the page does not ask for; `way` is how a page gets a socket. */
function options(text, way = "io") {
  return `{ const of = ${way}; ${way} = (url, options) => of.call(io, url, { ...options, ${text} }); }`;
}

function modern(text) {
  return { eio3: options(text), eio4: options(text) };
}

/** Does something with the socket `s` that the page gets, before the page does. */
function made(text, way = "io") {
  return `{ const of = ${way}; ${way} = (url, options) => { const s = of.call(io, url, options); ${text} return s; }; }`;
}

/** Changes the arguments of an event that the page sends. */
function sends(text) {
  const script = `const emit = s.emit; s.emit = (...args) => emit.apply(s, ${text});`;
  return { rev1: made(script, "io.connect"), modern: made(script) };
}

/** Changes what the page hears: `pass(name, ...args)` lets it hear an event. What the page itself wraps is wrapped. */
function hears(text) {
  const change = `Promise.resolve().then(() => {
    const way = s.onevent ? "onevent" : s.fire ? "fire" : "$emit", hear = s[way];
    s[way] = (...given) => {
      const [name, ...args] = s.onevent ? given[0].data : given;
      const pass = (...event) => (s.onevent ? hear.call(s, { ...given[0], data: event }) : hear.apply(s, event));
      ${text}
    };
  });`;
  return { rev1: made(change, "io.connect"), modern: made(change) };
}

function everywhere({ rev1, modern }) {
  return { rev1, eio3: modern, eio4: modern };
}

const REOPENS = `for (const name of ["htmlfile", "xhr-multipart"]) {
  const { open } = io.Transport[name];
  io.Transport[name].open = (target, on) => {
    let link;
    const again = () => {
      const mine = (link = open(target, { ...on, data(text) { if (mine === link) { mine.close(); again(); } on.data(text); } }));
    };
    again();
    return { send: (texts) => link.send(texts), close: () => link.close() };
  };
}`;

/** A handshake of revision 1 without the transport. */
function without(answer, name) {
  const text = answer.body.toString();
  if (!/^[\w-]+:\d*:\d*:[\w,-]+$/.test(text)) return;
  const parts = text.split(":");
  parts[3] = parts[3].split(",").filter((it) => it !== name).join(",");
  answer.body = Buffer.from(parts.join(":"));
}
