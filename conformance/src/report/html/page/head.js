// The head: who was judged, and what came of it, in one look.

function verdict(run) {
  const { fail, lenient, expected } = run.counts;
  if (fail) return plural(fail, "case fails", "cases fail");
  if (run.cut) return "Nothing failed as far as the run came";
  if (expected) return "As expected, with " + plural(expected, "known failure");
  if (lenient) return "Conformant, with " + plural(lenient, "remark");
  return "Everything passed";
}

function facts(run) {
  return [
    run.target !== run.name && el("span", {}, "judged ", code(run.target)),
    run.time && el("span", {}, moment(run.time)),
    run.ms !== undefined && el("span", {}, "took " + duration(run.ms)),
    run.suite && el("span", {}, "suite of " + visible(run.suite)),
    el("span", {}, "sio-conformance " + visible(run.tool)),
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
  const cut = run.cut && "The run was cut short: " + run.selectedText + ".";
  const notes = [cut, ...run.notes].filter(Boolean);
  if (!notes.length) return null;
  return el("ul", { class: "notes" }, notes.map((note) => el("li", {}, RUNS.length > 1 && el("b", {}, run.label + ": "), visible(note))));
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
  return [names, el("div", { class: "scroll" }, el("table", { class: "runs" }, el("thead", {}, head), el("tbody", {}, rows)))];
}

function head() {
  for (const run of RUNS) run.selectedText = OUTCOMES.reduce((sum, { key }) => sum + run.counts[key], 0) + " of " + plural(run.selected, "case") + " ended";
  const body = RUNS.length === 1 ? oneServer(RUNS[0]) : severalServers();
  return el("header", { class: "head" }, el("p", { class: "brand" }, "Socket.IO conformance"), body, RUNS.map(remarks));
}
