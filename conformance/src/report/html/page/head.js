// The head: who was judged, and what came of it, in one look.

function verdict(run) {
  const { fail, lenient, expected } = run.counts;
  if (fail) return plural(fail, "case fails", "cases fail");
  if (run.cut) return "Nothing failed as far as the run came";
  if (expected) return "As expected, with " + plural(expected, "known failure");
  if (lenient) return "Conformant, with " + plural(lenient, "remark");
  return "Everything passed";
}

// What is the same in all runs is said once.
function common() {
  const [first] = RUNS;
  const same = (name) => first[name] !== undefined && RUNS.every((run) => run[name] === first[name]);
  return [same("suite") && "suite of " + visible(first.suite), same("tool") && "sio-conformance " + visible(first.tool)].filter(Boolean);
}

function facts(run) {
  const said = common();
  const own = (text) => (RUNS.length > 1 && said.includes(text) ? null : el("span", {}, text));
  return [
    run.target !== run.name && el("span", {}, "judged ", code(run.target)),
    run.time && el("span", {}, moment(run.time)),
    run.ms !== undefined && el("span", {}, "took " + duration(run.ms)),
    run.suite && own("suite of " + visible(run.suite)),
    own("sio-conformance " + visible(run.tool)),
  ];
}

// The counts are filters, too.
function counter({ key, word }, n) {
  const pressed = state.outcome.has(key);
  return el(
    "button",
    {
      class: "counter o-" + key + (n ? "" : " zero"),
      type: "button",
      "aria-pressed": String(pressed),
      click: () => tune({ outcome: toggled(state.outcome, key), view: "cases" }),
    },
    mark(key),
    el("b", {}, String(n)),
    el("span", {}, word),
  );
}

function remarks(run) {
  const name = RUNS.length > 1 && el("b", {}, run.label + ": ");
  const ended = OUTCOMES.reduce((sum, { key }) => sum + run.counts[key], 0);
  return [
    run.cut && el("p", { class: "notes cut" }, name, "The run was cut short: " + ended + " of " + plural(run.selected, "case") + " ended."),
    run.notes.length > 0 && el("ul", { class: "notes" }, run.notes.slice(0, 50).map((note) => el("li", {}, name && name.cloneNode(true), visible(note)))),
  ];
}

function oneServer(run) {
  return [
    el("h1", {}, visible(run.name)),
    el("p", { class: "verdict " + (run.counts.fail ? "bad" : "good") }, verdict(run)),
    bar(run.counts, "large"),
    el("div", { class: "counters", role: "group", "aria-label": "Cases by outcome" }, OUTCOMES.map((outcome) => counter(outcome, run.counts[outcome.key]))),
    el("p", { class: "facts" }, facts(run)),
  ];
}

function severalServers() {
  const names = el("h1", {}, RUNS.length + " runs side by side");
  const head = el("tr", {}, el("th", { scope: "col" }, "server"), OUTCOMES.map((outcome) => el("th", { scope: "col", class: "number" }, badge(outcome.key))), el("th", { scope: "col", class: "wide" }, "when"));
  const rows = RUNS.map((run) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, el("span", { class: "name" }, run.label), bar(run.counts)),
      OUTCOMES.map(({ key, word }) => el("td", { class: "number n-" + key + (run.counts[key] ? "" : " zero"), "data-word": word }, String(run.counts[key]))),
      el("td", { class: "wide facts" }, facts(run)),
    ),
  );
  return [names, el("div", { class: "scroll" }, el("table", { class: "runs" }, el("thead", {}, head), el("tbody", {}, rows))), el("p", { class: "facts" }, common().map((text) => el("span", {}, text)))];
}

function head() {
  const body = RUNS.length === 1 ? oneServer(RUNS[0]) : severalServers();
  return el("header", { class: "head" }, el("p", { class: "brand" }, "Socket.IO conformance"), body, RUNS.map(remarks));
}
