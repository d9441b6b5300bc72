// The checks that every release of the client passes over every transport.

import { acknowledgements } from "./checks/acknowledgements.mjs";
import { basics } from "./checks/basics.mjs";
import { binary } from "./checks/binary.mjs";
import { ends } from "./checks/ends.mjs";
import { namespaces } from "./checks/namespaces.mjs";
import { reconnection } from "./checks/reconnection.mjs";
import { rooms } from "./checks/rooms.mjs";

export { limits } from "./checks/basics.mjs";
export { restarts } from "./checks/restarts.mjs";
export { upgrades } from "./checks/upgrades.mjs";

export const everywhere = {
  ...basics,
  ...acknowledgements,
  ...binary,
  ...namespaces,
  ...rooms,
  ...ends,
  ...reconnection,
};
