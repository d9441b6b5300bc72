export const MUTATIONS = {"nothing": {cases:["eio4/*"]}};
