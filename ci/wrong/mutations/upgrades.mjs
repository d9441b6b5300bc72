import { matches } from "../packets.mjs";

const cases = ["upgrade/burst", "order/upgrade-burst", "order/upgrade-pipelined", "upgrade/websocket"];

const isMessage = (packet) => matches(packet, /^4/) && !matches(packet, /^40/);

/** Changes the first message that the server sends to a client while it upgrades. */
const once = (change) => (packet, session) => {
  if (!session.probed || session.state.once || !isMessage(packet)) return packet;
  session.state.once = true;
  return change(packet);
};

export const upgrades = {
  "a packet lost during the upgrade": { cases, down: once(() => []) },

  "a packet sent twice during the upgrade": { cases, down: once((packet) => [packet, packet]) },

  "the client's packets lost right after the upgrade": {
    cases,
    up(packet, session) {
      if (!session.upgraded || session.state.lost || !isMessage(packet)) return packet;
      session.state.lost = true;
      return [];
    },
  },

  "no noop for the poll that waits": {
    cases: ["upgrade/noop", "upgrade/get-while-probing", "upgrade/websocket"],
    down: (packet, session) => (packet === "6" && session.probed && !session.upgraded ? [] : packet),
  },

  "the probe answered by a plain pong": { cases, down: (packet) => (packet === "3probe" ? "3" : packet) },

  "the probe not answered": { cases, down: (packet) => (packet === "3probe" ? [] : packet) },

  "the WebSocket closed after the probe": {
    cases,
    up(packet, session) {
      if (packet !== "5") return packet;
      session.hangUp?.();
      return packet;
    },
  },

  "an open packet on the upgraded WebSocket": {
    cases,
    down: (packet, session) => (packet === "3probe" ? [`0{"sid":"${session.sid}"}`, packet] : packet),
  },

  "polls answered after the upgrade": {
    cases: ["upgrade/requests-after", "upgrade/websocket"],
    response(response, { session, method }) {
      if (response.status === 400 && session?.upgraded && method === "GET") {
        Object.assign(response, { status: 200, body: "6", after: 50 });
        response.headers["content-type"] = ["text/plain; charset=UTF-8"];
      }
    },
  },

  "posts taken after the upgrade": {
    cases: ["upgrade/requests-after", "upgrade/websocket"],
    response(response, { session, method }) {
      if (response.status === 400 && session?.upgraded && method === "POST")
        Object.assign(response, { status: 200, body: "ok" });
    },
  },

  "the session lost with a failed upgrade": {
    cases: ["upgrade/aborted", "upgrade/nothing-lost-by-abort", "upgrade/websocket"],
    request(request) {
      if (request.session?.probed && !request.session.upgraded && request.method === "GET")
        request.target = request.target.replace(/sid=/, "sid=lost-");
    },
  },
};
