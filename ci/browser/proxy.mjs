// A reverse proxy between browser and server that can refuse a transport, let it hang, or cut every connection.

import http from "node:http";
import net from "node:net";

/**
 * Serves `upstream` on a free port of 127.0.0.1.
 *
 * `local` maps paths to HTML that the proxy answers itself. Gives:
 * - `origin`;
 * - `rules`: transport name -> "refuse" (no answer) or "hang"; "*" stands for every request of the protocol;
 * - `seen`: "transport sid" of each transport connection's first request, in order;
 * - `cut()`: ends every open connection; `close()`.
 */
export async function serve(upstream, local = {}) {
  const { hostname, port } = new URL(upstream);
  const sockets = new Set();
  const proxy = { rules: {}, seen: [] };

  function verdict({ method, url }) {
    const [, transport, sid] = /^\/socket\.io\/1\/([\w-]*)\/?([^/?]*)/.exec(url) ?? [];
    if (transport === undefined) return undefined;
    const pair = `${transport} ${sid}`;
    // Posts are not counted: the page before may still be saying goodbye.
    if (transport && method === "GET" && !proxy.seen.includes(pair)) proxy.seen.push(pair);
    return proxy.rules[transport] ?? proxy.rules["*"];
  }

  const server = http.createServer((request, response) => {
    const page = local[request.url.split("?")[0]];
    if (page !== undefined) {
      response.setHeader("Content-Type", "text/html; charset=utf-8");
      return response.end(page);
    }
    const rule = verdict(request);
    if (rule === "hang") return;
    if (rule === "refuse") return request.socket.destroy();
    const { method, url: path, headers } = request;
    const onward = http.request({ hostname, port, method, path, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
      answer.on("error", () => response.destroy());
    });
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  });

  server.on("upgrade", (request, socket, head) => {
    const rule = verdict(request);
    socket.on("error", () => {});
    if (rule === "hang") return;
    if (rule === "refuse") return socket.destroy();
    const onward = net.connect(Number(port), hostname, () => {
      const lines = [`${request.method} ${request.url} HTTP/1.1`];
      for (let i = 0; i < request.rawHeaders.length; i += 2) {
        lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
      }
      onward.write(lines.join("\r\n") + "\r\n\r\n");
      onward.write(head);
      socket.pipe(onward).pipe(socket);
    });
    onward.on("error", () => socket.destroy());
    onward.on("close", () => socket.destroy());
    socket.on("close", () => onward.destroy());
  });

  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));

  proxy.origin = `http://127.0.0.1:${server.address().port}`;
  proxy.cut = () => sockets.forEach((socket) => socket.destroy());
  proxy.close = () => {
    server.close();
    proxy.cut();
  };
  return proxy;
}
