// Functions that run in the blank page, where `io` is the client under test and `wait` gives the arguments of the next
// event.

/** The page: the client, and helpers the scenarios share. */
export const BLANK_PAGE = `<!doctype html>
<title>blank</title>
<link rel="icon" href="data:,">
<script src="/socket.io/socket.io.js"></script>
<script>
  function wait(socket, event, ms) {
    return new Promise(function (resolve, reject) {
      var timer = setTimeout(function () { reject(new Error("no " + event)); }, ms || 8000);
      socket.once(event, function () {
        clearTimeout(timer);
        resolve([].slice.call(arguments));
      });
    });
  }
  function acknowledged(socket) {
    var args = [].slice.call(arguments, 1);
    return new Promise(function (resolve, reject) {
      var timer = setTimeout(function () { reject(new Error("no acknowledgment of " + args[0])); }, 8000);
      socket.emit.apply(socket, args.concat(function () {
        clearTimeout(timer);
        resolve([].slice.call(arguments));
      }));
    });
  }
</script>`;

/** Connects and gives [transport, session id], or the event that says it could not. */
export async function connects(url, options) {
  const socket = io.connect(url, { ...options, "force new connection": true });
  const failed = new Promise((resolve) => socket.once("connect_failed", () => resolve(["connect_failed"])));
  const error = new Promise((resolve) => socket.once("error", (reason) => resolve(["error", reason])));
  const connected = wait(socket, "connect").then(() => [socket.socket.transport.name, socket.socket.sessionid]);
  connected.catch(() => {});
  const outcome = await Promise.race([failed, error, connected]);
  socket.disconnect();
  return outcome;
}

/** Everything an application does with a socket, over one transport; gives what came back. */
export async function conversation(url, transport) {
  const socket = io.connect(url, { transports: [transport], "force new connection": true });
  const result = {};
  const text = "a:b\n€😀 </script>\u2028\ufffd3\ufffd";
  socket.once("news", () => {
    throw new Error("a listener's mistake");
  });
  result.news = await wait(socket, "news");
  result.transport = socket.socket.transport.name;

  const message = wait(socket, "message");
  result.sent = await new Promise((resolve) => socket.send(text, (...args) => resolve(args)));
  result.message = (await message)[0] === text;
  const json = wait(socket, "message");
  socket.json.send({ text: [text] });
  result.json = (await json)[0].text[0] === text;

  const back = wait(socket, "message-back");
  socket.emit("message", text, 1, null);
  result.back = JSON.stringify(await back) === JSON.stringify([text, 1, null]);
  result.ack = JSON.stringify(await acknowledged(socket, "message-with-ack", text, [2])) === JSON.stringify([text, [2]]);

  socket.once("question", (asked, answer) => answer(asked + "!", text));
  const answer = wait(socket, "answer");
  socket.emit("ask", "who");
  result.answer = JSON.stringify(await answer) === JSON.stringify(["who!", text]);

  const numbers = [];
  socket.on("count up", (n) => numbers.push(n));
  await acknowledged(socket, "burst", 50, "count up", text);
  result.burst = numbers.length === 50 && numbers.every((n, i) => n === i);

  const echoes = [];
  const tenth = new Promise((resolve) => socket.on("message-back", (n) => echoes.push(n) === 10 && resolve()));
  for (let n = 0; n < 10; n++) socket.emit("message", n);
  await tenth;
  result.order = echoes.join() === "0,1,2,3,4,5,6,7,8,9";

  const ended = wait(socket, "disconnect");
  socket.disconnect();
  result.disconnect = await ended;
  return result;
}

/** Two namespaces of one connection, and one that refuses. */
export async function namespaces(url, transport) {
  const options = { transports: [transport], "force new connection": true };
  const root = io.connect(url, options);
  const custom = root.of("/custom"), forbidden = root.of("/forbidden");
  const result = {};
  const refused = wait(forbidden, "connect_failed");
  result.news = await wait(custom, "news");
  result.refused = await refused;
  result.echo = await acknowledged(custom, "message-with-ack", "in custom");
  const left = wait(custom, "disconnect");
  custom.disconnect();
  result.left = await left;
  result.root = await acknowledged(root, "message-with-ack", "in root");
  const booted = wait(root, "disconnect");
  root.emit("disconnect-me");
  result.booted = await booted;
  result.reconnecting = root.socket.reconnecting;

  const direct = io.connect(url + "/custom?a=b", options);
  await wait(direct, "connect");
  result.direct = await acknowledged(direct, "message-with-ack", "by url");
  direct.socket.disconnect();
  return result;
}

/** Connects and leaves the socket in window.kept, with its events, under the name of its first transport. */
export async function keeps(url, options) {
  const socket = io.connect(url, { ...options, "force new connection": true });
  const events = [];
  (window.kept ??= {})[options.transports[0]] = { socket, events };
  for (const name of ["disconnect", "reconnecting", "reconnect", "reconnect_failed", "error"]) {
    socket.on(name, () => events.push(name));
  }
  await wait(socket, "connect");
  return socket.socket.sessionid;
}

/** What became of that socket, once it is connected again where `again` is true. */
export async function kept(name, again) {
  const { socket, events } = window.kept[name];
  if (again && !events.includes("reconnect")) await wait(socket, "reconnect", 15000);
  const answer = await acknowledged(socket, "message-with-ack", "still here");
  const { sessionid, transport } = socket.socket;
  return { answer, sid: sessionid, transport: transport.name, events };
}
