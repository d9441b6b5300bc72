// Every deliberately wrong server: its name, the cases that judge it, and what it does wrong (see ../proxy.mjs).

import { acknowledgements } from "./acknowledgements.mjs";
import { binary } from "./binary.mjs";
import { connections } from "./connections.mjs";
import { eio3 } from "./eio3.mjs";
import { ends } from "./ends.mjs";
import { events } from "./events.mjs";
import { heartbeats } from "./heartbeats.mjs";
import { http } from "./http.mjs";
import { recovery } from "./recovery.mjs";
import { rooms } from "./rooms.mjs";
import { upgrades } from "./upgrades.mjs";

export const MUTATIONS = {
  ...acknowledgements,
  ...events,
  ...binary,
  ...connections,
  ...rooms,
  ...ends,
  ...heartbeats,
  ...http,
  ...upgrades,
  ...recovery,
  ...eio3,
};
