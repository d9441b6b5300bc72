// What is shown, in the fragment of the address: a link opens the same view.

const VIEWS = ["cases", "coverage", "changes"];
const state = {};

function readState() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const set = (name) => new Set((fragment.get(name) || "").split(",").filter(Boolean));
  state.view = VIEWS.includes(fragment.get("view")) ? fragment.get("view") : "cases";
  state.q = fragment.get("q") || "";
  state.outcome = set("outcome");
  state.generation = set("generation");
  state.over = set("transport");
  state.diff = fragment.has("diff");
  state.cover = fragment.get("cover") || "all";
  state.open = set("open");
  state.shut = set("shut");
  state.case = fragment.get("case");
  state.run = Math.min(Math.max(0, Number(fragment.get("run")) || 0), RUNS.length - 1);
}

function fragment(changes) {
  const next = { ...state, ...changes };
  const out = new URLSearchParams();
  const put = (name, value) => value && out.set(name, value);
  put("view", next.view === "cases" ? "" : next.view);
  put("q", next.q);
  put("outcome", [...next.outcome].join(","));
  put("generation", [...next.generation].join(","));
  put("transport", [...next.over].join(","));
  put("diff", next.diff ? "1" : "");
  put("cover", next.cover === "all" ? "" : next.cover);
  put("open", [...next.open].join(","));
  put("shut", [...next.shut].join(","));
  put("case", next.case);
  put("run", next.case && next.run ? String(next.run) : "");
  const text = out.toString();
  const plain = { "%2F": "/", "%2C": ",", "%5B": "[", "%5D": "]" };
  return "#" + text.replace(/%2F|%2C|%5B|%5D/g, (it) => plain[it]);
}

// Panels and views are steps that the browser's Back takes back; filters are not.
function go(changes) {
  location.hash = fragment(changes);
}

function tune(changes) {
  location.replace(fragment(changes));
}

function toggled(set, value) {
  const next = new Set(set);
  if (!next.delete(value)) next.add(value);
  return next;
}

function isFiltered() {
  return Boolean(state.q || state.outcome.size || state.generation.size || state.over.size || state.diff);
}

function terms() {
  return state.q.toLowerCase().split(/\s+/).filter(Boolean);
}

// Whether a case is asked for.
function asked(it) {
  if (!isFiltered()) return true;
  if (state.generation.size && !state.generation.has(it.scenario.generation)) return false;
  if (state.over.size && !state.over.has(it.over || "none")) return false;
  if (state.outcome.size && !outcomesOf(it).some((outcome) => state.outcome.has(outcome))) return false;
  if (state.diff && !differs(it)) return false;
  return terms().every((term) => hay(it).includes(term));
}
