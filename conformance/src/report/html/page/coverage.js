// Requirements by document, with the cases that check each and how each server did.

const COVER = { all: "all", none: "without a case", idle: "not run here", fail: "failing" };

function casesByRequirement() {
  const out = DATA.requirements.map(() => []);
  for (const scenario of DATA.scenarios) for (const [number] of scenario.needs) out[number].push(...scenario.cases);
  return out;
}

function coverage() {
  const checks = casesByRequirement();
  const all = DATA.requirements.map((it, number) => ({ it, cases: checks[number], state: stateOf(it, checks[number]) }));
  const kept = all.filter((row) => (state.cover === "all" || row.state === state.cover) && keptBySearch(row));
  const amounts = Object.keys(COVER).map((key) => [key, key === "all" ? all.length : all.filter((row) => row.state === key).length]);
  const chips = amounts.map(([key, n]) =>
    el("button", { class: "chip" + (key === "none" && n ? " warn" : ""), type: "button", "aria-pressed": String(state.cover === key), click: () => tune({ cover: key }) }, COVER[key], el("b", {}, String(n))),
  );
  const names = [...new Set(kept.map(({ it }) => it.id.split("#")[0]))];
  const idle = (name) => kept.every((row) => !row.it.id.startsWith(name + "#") || row.state === "idle");
  const documents = [...names.filter((name) => !idle(name)), ...names.filter(idle)];
  return el(
    "section",
    { class: "coverage", "aria-label": "Coverage" },
    el("h2", {}, "What the protocol asks for", el("span", { class: "amount" }, plural(kept.length, "requirement"))),
    el("div", { class: "chips no-print", role: "group", "aria-label": "Requirements" }, chips),
    kept.length ? documents.map((name) => documentSection(name, kept.filter(({ it }) => it.id.startsWith(name + "#")))) : el("p", { class: "empty" }, "No requirement fits."),
  );
}

function stateOf(it, cases) {
  if (!cases.length) return it.named ? "idle" : "none";
  const outcomes = cases.flatMap(outcomesOf).filter(Boolean);
  if (outcomes.includes("fail")) return "fail";
  return outcomes.every((outcome) => outcome === "skip") ? "idle" : "met";
}

function keptBySearch({ it }) {
  const text = (it.id + "\n" + it.text + "\n" + it.section).toLowerCase();
  return terms().every((term) => text.includes(term));
}

function documentSection(name, rows) {
  const about = DATA.documents[name];
  const lacking = rows.filter((row) => row.state === "none").length;
  const body = el("div", { class: "requirements" });
  const fold = el("details", { class: "document", toggle: fill_ }, el("summary", {}, el("h3", {}, name, about && el("span", { class: "amount" }, about.title)), el("span", { class: "tally" }, plural(rows.length, "requirement"), lacking > 0 && el("b", { class: "warn" }, lacking + " without a case"))), body);
  function fill_() {
    if (fold.open && !body.firstChild) body.append(...rows.map(requirementRow));
  }
  const used = rows.some((row) => row.state !== "idle");
  if ((used && rows.length <= 60) || state.cover !== "all" || state.q) {
    fold.open = true;
    fill_();
  }
  return fold;
}

function requirementRow({ it, cases, state: how }) {
  const proved = cases.filter((check) => check.proof);
  const [killed, survived] = [0, 1].map((at) => proved.reduce((sum, check) => sum + check.proof[at], 0));
  const body = el("div", { class: "checks" });
  const outcome = (run) => {
    const outcomes = cases.map((check) => outcomesOf(check)[run]).filter(Boolean);
    const grave = worst(outcomes);
    if (!grave) return el("span", { class: "standing" }, RUNS.length > 1 && el("span", { class: "server" }, RUNS[run].label), el("span", { class: "absent" }, "–"));
    const n = outcomes.filter((other) => other === grave).length;
    return el("span", { class: "standing n-" + grave }, RUNS.length > 1 && el("span", { class: "server" }, RUNS[run].label), mark(grave), (n < outcomes.length ? n + " of " + outcomes.length : outcomes.length) + " " + OUTCOME[grave].word);
  };
  const nothing = how === "none" ? el("span", { class: "badge warn" }, "no case checks this") : how === "idle" && !cases.length ? el("span", { class: "badge idle" }, plural(it.named, "case") + ", not in this run") : null;
  const row = el(
    "details",
    { class: "req " + how, toggle: open },
    el(
      "summary",
      {},
      el("span", { class: "says" }, it.text ? prose(it.text) : "This version does not know its text."),
      el("span", { class: "meta" }, el("b", { class: "level " + it.level }, it.level), code(it.id), el("span", {}, it.section), it.by && it.by !== "spec" && el("span", {}, it.by)),
      el("span", { class: "how" }, nothing || RUNS.map((_, run) => outcome(run)), proved.length > 0 && el("span", { class: "proof" + (survived ? " weak" : "") }, proofText([killed, survived]))),
    ),
    body,
  );
  function open() {
    if (!row.open || body.firstChild) return;
    const scenarios = [...new Set(cases.map((check) => check.scenario))];
    body.append(
      ...scenarios.map((scenario) =>
        el(
          "div",
          { class: "check" },
          el("span", { class: "what" }, code(scenario.id), el("span", {}, visible(scenario.title))),
          RUNS.map((run, at) => el("span", { class: "cells" }, RUNS.length > 1 && el("span", { class: "server" }, run.label), scenario.cases.map((check) => cell(check, at, check.over || "run")))),
        ),
      ),
    );
    if (!scenarios.length) body.append(el("p", { class: "empty" }, "No case of these runs checks it."));
  }
  return row;
}
