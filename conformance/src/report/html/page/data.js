// The runs, and what is derived of them: cases by id, rows of the matrix, counts.

const DATA = JSON.parse(document.getElementById("data").textContent);
const RUNS = DATA.runs;

// The gravest first: where several stand for one, it does.
const OUTCOMES = [
  { key: "fail", word: "fail", long: "failed" },
  { key: "expected", word: "expected failure", short: "expected", long: "failed, as the baseline says" },
  { key: "lenient", word: "lenient", long: "conformant, with remarks" },
  { key: "pass", word: "pass", long: "passed" },
  { key: "skip", word: "not run", long: "not run" },
];
const OUTCOME = Object.fromEntries(OUTCOMES.map((outcome, rank) => [outcome.key, { ...outcome, rank }]));

const GENERATIONS = {
  eio4: { title: "Socket.IO 3 and 4", over: ["polling", "websocket", "webtransport", "upgraded"] },
  eio3: { title: "Socket.IO 1 and 2", over: ["polling", "polling-b64", "jsonp", "websocket", "upgraded"] },
  rev1: {
    title: "Socket.IO 0.7 to 0.9",
    over: ["websocket", "flashsocket", "htmlfile", "xhr-multipart", "xhr-polling", "jsonp-polling"],
  },
};

const CASES = new Map();
const ROWS = [];
const USED = new Map();

for (const scenario of DATA.scenarios) {
  const [generation, topic, ...rest] = scenario.id.split("/");
  const known = (GENERATIONS[generation] || { over: [] }).over;
  const rows = new Map();
  scenario.generation = generation;
  for (const it of scenario.cases) {
    const parts = it.over ? it.over.split(",") : [];
    it.id = scenario.id + (it.over ? "[" + it.over + "]" : "");
    it.scenario = scenario;
    // Cases with pages have a client and a browser, too: a row for each of these.
    it.over = parts.find((part) => known.includes(part)) || "";
    const also = parts.filter((part) => part !== it.over).join(" · ");
    if (!rows.has(also)) {
      rows.set(also, { scenario, generation, topic: topic || "", name: rest.join("/") || scenario.id, also, cases: [] });
    }
    it.row = rows.get(also);
    it.row.cases.push(it);
    CASES.set(it.id, it);
    if (it.over) USED.set(generation, (USED.get(generation) || new Set()).add(it.over));
  }
  for (const row of rows.values()) row.cases.sort((a, b) => known.indexOf(a.over) - known.indexOf(b.over));
  ROWS.push(...rows.values());
}

// The transports that have a column in the matrix of a generation.
function slots(generation) {
  const used = USED.get(generation) || new Set();
  return ((GENERATIONS[generation] || {}).over || []).filter((over) => used.has(over));
}

function generationsInOrder() {
  const present = new Set(ROWS.map((row) => row.generation));
  return [...Object.keys(GENERATIONS).filter((it) => present.delete(it)), ...present];
}

function count(cases, run) {
  const counts = Object.fromEntries(OUTCOMES.map(({ key }) => [key, 0]));
  for (const it of cases) if (it.results[run]) counts[it.results[run].outcome] += 1;
  return counts;
}

function worst(outcomes) {
  return outcomes.reduce((a, b) => (a === null || OUTCOME[b].rank < OUTCOME[a].rank ? b : a), null);
}

RUNS.forEach((run, at) => {
  run.counts = count([...CASES.values()], at);
  run.label = label(run.name);
});

// A name that fits a column: of a path to a program, the folder that tells it from others.
function label(name) {
  const parts = visible(name).split(" ")[0].split("/").filter(Boolean);
  const path = name.includes("/") && !name.includes("://") && parts.length > 1;
  return path ? parts[parts.length - 2] : visible(name);
}

function door(run) {
  if (run.target === "embedded") return "";
  if (!/^https?:/.test(run.target)) return " -- " + visible(run.target);
  return " --url " + (/^[\w.:/[\]-]+$/.test(run.target) ? run.target : quoted(run.target));
}

// As a shell reads it.
function quoted(text) {
  return "'" + visible(text).replaceAll("'", "'\\''") + "'";
}

// What runs a case again.
function command(it, result, run) {
  const file = (result.failures || [])[0]?.file;
  const own = file && !file.startsWith("fixtures/");
  const pages = it.scenario.id.split("/")[1] === "browser";
  const verb = "sio-conformance " + (pages ? "browser" : "run");
  return verb + (own ? " " + quoted(file) : " --filter " + quoted(it.id)) + door(RUNS[run]);
}

function outcomesOf(it) {
  return it.results.map((result) => (result ? result.outcome : null));
}

function differs(it) {
  return new Set(outcomesOf(it)).size > 1;
}

// What a search looks at.
function hay(it) {
  if (it.hay === undefined) {
    const needs = it.scenario.needs.map(([number]) => DATA.requirements[number].id + " " + DATA.requirements[number].text);
    const failures = it.results.flatMap((result) => (result ? (result.failures || []).map((failure) => failure.message) : []));
    it.hay = [it.id, it.scenario.title, ...needs, ...failures].join("\n").toLowerCase();
  }
  return it.hay;
}
