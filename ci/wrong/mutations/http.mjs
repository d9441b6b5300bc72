const handshake = ["handshake/polling", "handshake/websocket", "handshake/content-type"];
const polling = ["polling/post", "polling/many-packets", "polling/mixed-payload"];
const errors = ["error/unknown-sid-get", "error/transport-unknown", "error/version-unknown"];
const cors = ["cors/handshake", "cors/other", "cors/session"];

const text = "text/plain; charset=UTF-8";

/** Refusals with a body in JSON, changed. */
const refusals = (change) => (response) => {
  const json = /^\{"code"/.test(response.body.toString()) && JSON.parse(response.body.toString());
  if (json) change(response, json);
};

const replaced = (target, name, value) => target.replace(new RegExp(`([?&])${name}=[^&]*`), `$1${name}=${value}`);

/** Answers of the server to a GET of polling, changed. */
const polls = (change) => (response, request) => {
  if (request.method === "GET" && response.status === 200) change(response, request);
};

const cases = [...handshake, ...polling];

export const http = {
  "no upgrades offered": {
    should: true,
    cases: ["handshake/offers-websocket", "handshake/polling"],
    open: (open) => ({ ...open, upgrades: [] }),
  },

  "upgrades offered over WebSocket": {
    cases: ["handshake/no-upgrades", "handshake/websocket"],
    open: (open) => ({ ...open, upgrades: ["websocket"] }),
  },

  "no maxPayload announced": { cases: handshake, open: ({ maxPayload, ...open }) => open },

  "timings announced in seconds": {
    cases: ["heartbeat/interval", "heartbeat/ping", "handshake/polling"],
    open: (open) => ({ ...open, pingInterval: 25, pingTimeout: 20 }),
  },

  "no pingTimeout announced": { cases: handshake, open: ({ pingTimeout, ...open }) => open },

  "polls of another content type": {
    should: true,
    cases: ["polling/headers", "handshake/content-type", "polling/post"],
    response: polls((response) => (response.headers["content-type"] = ["application/octet-stream"])),
  },

  "polls that may be cached": {
    should: true,
    cases: ["handshake/no-store", "polling/headers", "handshake/polling"],
    response: polls((response) => (response.headers["cache-control"] = ["max-age=60"])),
  },

  "payloads separated by a line feed": {
    cases: polling,
    response: polls((response) => (response.body = Buffer.from(response.body.toString().replaceAll("\x1e", "\n")))),
  },

  "payloads with a separator at the end": {
    cases: polling,
    response: polls((response) => (response.body = Buffer.from(`${response.body}\x1e`))),
  },

  "payloads with lengths in front": {
    cases: polling,
    response: polls((response) => (response.body = Buffer.from(`${response.body.length}:${response.body}`))),
  },

  "one packet a poll": {
    cases: ["polling/buffered", "polling/many-packets", "polling/mixed-payload"],
    batch(packets, session) {
      if (session.webSocket || packets.length < 2) return packets;
      session.waiting.push(...packets.slice(1));
      return packets.slice(0, 1);
    },
  },

  "posts answered with other words": {
    cases: ["polling/post", "polling/one-packet", "polling/many-packets"],
    response: (response, { method }) =>
      method === "POST" && response.status === 200 && (response.body = Buffer.from("yes")),
  },

  "posts answered with 204": {
    cases: ["polling/post", "polling/one-packet", "polling/many-packets"],
    response: (response, { method }) =>
      method === "POST" && response.status === 200 && Object.assign(response, { status: 204, body: "" }),
  },

  "only the first packet of a post taken": {
    cases: polling,
    request(request) {
      if (request.method === "POST" && request.session)
        request.body = Buffer.from(request.body.toString("latin1").split("\x1e")[0], "latin1");
    },
  },

  "two polls at a time allowed": {
    cases: ["polling/duplicate-get", "polling/waits", "polling/post"],
    request({ method, session, target }) {
      if (method === "GET" && session?.polls > 0 && /transport=polling/.test(target))
        return { status: 200, headers: { "content-type": [text] }, body: "6" };
    },
  },

  "gzip said but not done": {
    should: true,
    cases: ["polling/gzip", "polling/identity", "polling/post"],
    response: polls((response) => response.zipped && (response.zipped = false)),
  },

  "gzip for those who do not take it": {
    cases: ["polling/identity", "polling/identity-refused", "polling/post"],
    response: polls((response) => {
      response.zipped = true;
      response.headers["content-encoding"] = ["gzip"];
    }),
  },

  "other methods accepted": {
    cases: ["handshake/method-put", "handshake/method-delete", "polling/methods", "polling/head"],
    request({ method }) {
      if (["PUT", "DELETE"].includes(method)) return { status: 200, headers: { "content-type": [text] }, body: "ok" };
    },
  },

  "maxPayload ignored": {
    cases: ["limit/polling-beyond", "limit/polling-chunked", "limit/websocket-beyond", "limit/polling-payload"],
    server: ["--max-payload", "50000000"],
    open: (open) => ({ ...open, maxPayload: 1_000_000 }),
  },

  "less than maxPayload taken": {
    cases: ["limit/polling", "limit/websocket", "limit/others"],
    server: ["--max-payload", "500000"],
    open: (open) => ({ ...open, maxPayload: 1_000_000 }),
  },

  "error codes as strings": {
    should: true,
    cases: errors,
    response: refusals(
      (response, json) => (response.body = Buffer.from(JSON.stringify({ ...json, code: String(json.code) }))),
    ),
  },

  "errors with another status": { cases: errors, response: refusals((response) => (response.status = 500)) },

  "errors without a body": {
    should: true,
    cases: errors,
    response: refusals((response) => (response.body = Buffer.alloc(0))),
  },

  "one error code for all": {
    should: true,
    cases: errors,
    response: refusals((response) => (response.body = Buffer.from('{"code":3,"message":"Bad request"}'))),
  },

  "errors of another content type": {
    should: true,
    cases: ["error/content-type", ...errors],
    response: refusals((response) => (response.headers["content-type"] = ["text/html"])),
  },

  "other versions accepted": {
    cases: ["error/version-unknown", "error/version-three", "error/version-missing"],
    request(request) {
      if (!request.session) request.target = replaced(request.target, "EIO", "4");
    },
  },

  "unknown transports taken for polling": {
    cases: ["error/transport-unknown", "error/transport-hostile", "error/transport-missing"],
    request(request) {
      const asked = new URLSearchParams(request.target.split("?")[1]).get("transport");
      if (asked !== "websocket" && asked !== null) request.target = replaced(request.target, "transport", "polling");
    },
  },

  "unknown sessions begun": {
    cases: ["error/unknown-sid-get", "error/unknown-sid-hostile", "error/unknown-sid-websocket"],
    request(request) {
      if (!request.session && request.method === "GET") request.target = request.target.replace(/&sid=[^&]*/, "");
    },
  },

  "every origin allowed": {
    cases: ["cors/other", "cors/null", "cors/similar", "cors/handshake"],
    response(response, { headers }) {
      if (!headers.origin) return;
      response.headers["access-control-allow-origin"] = headers.origin;
      response.headers["access-control-allow-credentials"] = ["true"];
    },
  },

  "no origin allowed": { cases: cors, response: (response) => delete response.headers["access-control-allow-origin"] },

  "any origin allowed by a star": {
    cases: cors,
    response: (response) =>
      response.headers["access-control-allow-origin"] && (response.headers["access-control-allow-origin"] = ["*"]),
  },

  "no credentials allowed": {
    should: true,
    cases: ["cors/credentials", "cors/handshake", "cors/other"],
    response: (response) => delete response.headers["access-control-allow-credentials"],
  },

  "preflights refused": {
    cases: ["cors/preflight", "cors/preflight-session", "cors/handshake"],
    request({ method }) {
      if (method === "OPTIONS") return { status: 400, body: "" };
    },
  },
};
