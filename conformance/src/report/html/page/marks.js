// A sign for each outcome: a shape, and only then a colour.

const SHAPES = {
  pass: "M3.5 8.6l3.1 3.1 6-7.4",
  lenient: "M2.5 9.4c1.6-3.7 3.9-3.7 5.5-1.4s3.9 2.3 5.5-1.4",
  expected: "M5 13.5V3h7l-2 2.75 2 2.75H5",
  fail: "M4.2 4.2l7.6 7.6M11.8 4.2l-7.6 7.6",
  skip: "M4.5 8h7",
};

function sprite() {
  const symbols = Object.entries(SHAPES).map(([key, d]) =>
    svg("symbol", { id: "mark-" + key, viewBox: "0 0 16 16" }, svg("path", { d })),
  );
  return svg("svg", { class: "sprite", "aria-hidden": "true" }, symbols);
}

function mark(outcome) {
  return svg("svg", { class: "mark", "aria-hidden": "true" }, svg("use", { href: "#mark-" + outcome }));
}

// A sign with its word.
function badge(outcome, text) {
  return el("span", { class: "badge o-" + outcome }, mark(outcome), text || OUTCOME[outcome].word);
}

// A case on a server, as a button that opens it.
function cell(it, run, words) {
  const result = it.results[run];
  if (!result) return el("span", { class: "cell none", "aria-hidden": "true" }, words && el("span", { class: "word" }, words));
  const { outcome } = result;
  const on = RUNS.length > 1 ? " on " + RUNS[run].label : "";
  const why = result.failures ? ": " + result.failures[0].message : result.reason ? ": " + result.reason : "";
  const hint = it.id + on + "\n" + OUTCOME[outcome].word + visible(why).slice(0, 200);
  return el(
    "button",
    {
      class: "cell o-" + outcome + (asked(it) ? "" : " off"),
      type: "button",
      title: hint,
      "aria-label": OUTCOME[outcome].word + ", " + it.id + on,
      "data-case": it.id,
      "data-run": run,
      click: () => go({ case: it.id, run }),
    },
    mark(outcome),
    el("span", { class: "word" }, words || it.over || ""),
  );
}

// Counts as a bar: shares of a whole, the gravest first.
function bar(counts, name) {
  const total = OUTCOMES.reduce((sum, { key }) => sum + counts[key], 0);
  const parts = OUTCOMES.filter(({ key }) => counts[key]).map(({ key }) =>
    el("span", { class: "share o-" + key, style: "flex-grow:" + counts[key] }),
  );
  const words = OUTCOMES.filter(({ key }) => counts[key]).map(({ key, word }) => counts[key] + " " + word);
  return el("span", { class: "bar " + (name || ""), role: "img", "aria-label": words.join(", ") || "none", title: words.join(", ") }, total ? parts : null);
}
