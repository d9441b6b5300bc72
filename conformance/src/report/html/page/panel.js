// One case on one server: what the protocol says, what came, and where.

function panel() {
  const it = CASES.get(state.case);
  const result = it && (it.results[state.run] || it.results.find(Boolean));
  if (!result) return missing();
  const run = it.results[state.run] ? state.run : it.results.findIndex(Boolean);
  const failures = (result.failures || []).map((failure) => [failure, "must"]);
  const remarks = (result.lenient || []).map((failure) => [failure, failure.level]);
  const spoken = new Set([...failures, ...remarks].flatMap(([failure]) => failure.needs));
  const others = it.scenario.needs.filter(([number]) => !spoken.has(number));
  return frame(
    it,
    el(
      "div",
      { class: "panel-head" },
      el("p", { class: "id" }, badge(result.outcome), el("span", {}, code(it.id)), RUNS.length > 1 && el("span", { class: "on" }, "on " + RUNS[run].label)),
      el("h2", { id: "panel-title" }, visible(it.scenario.title || it.id)),
      el("p", { class: "facts" }, el("span", {}, duration(result.ms)), result.reruns > 0 && el("span", {}, "run again " + plural(result.reruns, "time") + ", for the tool was late"), it.proof && el("span", { class: it.proof[1] ? "weak" : "" }, proofText(it.proof))),
      siblings(it, run),
    ),
    result.reason && el("p", { class: "reason" }, el("b", {}, result.outcome === "skip" ? "not run: " : result.outcome === "expected" ? "known: " : ""), visible(result.reason)),
    [...failures, ...remarks].map(([failure, level]) => wrong(failure, level, result.outcome)),
    conversation(result),
    again(it, result, run),
    others.length > 0 && section(spoken.size ? "Also of this case" : "What the protocol says", others.map(([number, level]) => requirement(DATA.requirements[number], level))),
    failures.length + remarks.length > 0 && section("As the terminal shows it", [...failures, ...remarks].map(([failure]) => block(failure.text, "diagnostic"))),
    raw(result),
    behind(result),
  );
}

function frame(it, ...children) {
  return el(
    "aside",
    { class: "panel", role: "dialog", "aria-labelledby": "panel-title", tabindex: "-1" },
    el("div", { class: "panel-bar no-print" }, stepper(-1), stepper(1), el("span", { class: "hint" }, "Esc closes"), el("button", { class: "close", type: "button", "aria-label": "Close", click: () => go({ case: null }) }, "×")),
    children,
  );
}

function missing() {
  return frame(null, el("h2", { id: "panel-title" }, "No such case"), el("p", {}, "These runs hold no case ", code(state.case), "."));
}

// The cases one after another, as the matrix shows them; failures alone, if this is one.
function stepper(step) {
  const here = CASES.get(state.case);
  const failing = here && outcomesOf(here)[state.run] === "fail";
  const list = ROWS.flatMap((row) => row.cases).filter((it) => it.results[state.run] && (it === here || (asked(it) && (!failing || it.results[state.run].outcome === "fail"))));
  const next = list[list.indexOf(here) + step];
  const what = failing ? "failure" : "case";
  return el("button", { type: "button", disabled: !next, click: () => next && tune({ case: next.id }), title: next ? next.id : null }, step < 0 ? "‹ Previous " + what : "Next " + what + " ›");
}

// The same scenario over other transports and on other servers.
function siblings(it, run) {
  const cases = it.row.cases;
  if (cases.length * RUNS.length < 2) return null;
  const line = (at) =>
    el(
      "div",
      { class: "sibling-line" },
      RUNS.length > 1 && el("span", { class: "server" }, RUNS[at].label),
      cases.map((other) => {
        const button = cell(other, at, other.over || (RUNS.length > 1 ? (other.results[at] ? shortWord(other.results[at].outcome) : "–") : ""));
        button.classList.remove("off");
        if (other === it && at === run) button.setAttribute("aria-current", "true");
        return button;
      }),
    );
  return el("div", { class: "siblings" }, RUNS.map((_, at) => (cases.some((other) => other.results[at]) ? line(at) : null)));
}

function proofText([killed, survived]) {
  return survived ? killed + " of " + (killed + survived) + " changes caught" : "catches all " + killed + " changes";
}

function section(title, ...children) {
  return el("section", { class: "part" }, el("h3", {}, title), children);
}

function wrong(failure, level, outcome) {
  const known = failure.needs.map((number) => DATA.requirements[number]);
  return el(
    "section",
    { class: "part wrong " + (level === "must" ? "o-" + (outcome === "lenient" ? "fail" : outcome) : "o-lenient") },
    el("h3", { class: "message" }, el("span", { class: "level" }, failure.level), prose(failure.message)),
    known.map((it) => requirement(it, failure.level, failure.by)),
    comparison(failure),
    el("p", { class: "place" }, code(failure.file + ":" + failure.line)),
  );
}

function requirement(it, level, by) {
  const [document_] = it.id.split("#");
  const about = DATA.documents[document_];
  const source = about && about.source && /^https:/.test(about.source) ? el("a", { href: about.source, rel: "noreferrer" }, about.title) : about && about.title;
  const authority = { spec: "the document says so", reference: "the original server does so", observed: "independent servers agree" }[by || it.by];
  return el(
    "blockquote",
    { class: "requirement" },
    el("p", {}, it.text ? prose(it.text) : "This version does not know the text of this requirement."),
    el("footer", {}, el("b", { class: "level " + level }, level), code(it.id), it.section && el("span", {}, it.section), source && el("span", {}, source), authority && el("span", {}, authority)),
  );
}

function conversation(result) {
  if (result.outcome === "skip" && !result.wire) return null;
  if (!result.wire) return section("What happened", el("p", { class: "empty" }, "This run was saved without its traces.", result.trace && [" The trace was written to ", code(result.trace), "."]));
  const holder = el("div", { class: "conversation" });
  const draw = () => {
    const width = Math.floor(holder.clientWidth);
    if (!width || width === holder.drawn) return;
    holder.drawn = width;
    holder.replaceChildren(sequence(result, width) || el("p", { class: "empty" }, "Nothing was said."));
  };
  new ResizeObserver(() => requestAnimationFrame(draw)).observe(holder);
  return section("What happened", holder);
}

function again(it, result, run) {
  const text = command(it, result, run);
  return section("Run it again", block(text, "command"), result.trace && el("p", { class: "place" }, "The trace is in ", code(result.trace), ", and is a case itself."));
}

function raw(result) {
  if (!result.wire) return null;
  const text = traceText(result.wire);
  return el("section", { class: "part" }, el("details", {}, el("summary", {}, el("h3", {}, "Raw trace")), block(text, "trace")));
}

function block(text, name) {
  return el("div", { class: "block-of-text" }, copier(text), el("pre", { class: name, tabindex: "0" }, visible(text.replace(/\n$/, ""))));
}

// What a case with pages left in its folder.
function behind(result) {
  const folder = result.trace && result.trace.endsWith("/trace.wire") && result.trace.replace(/trace\.wire$/, "");
  if (!folder) return null;
  return section(
    "The page",
    result.picture && el("img", { class: "picture", src: result.picture, alt: "What the page looked like when the case failed" }),
    result.console && [el("h4", {}, "Console"), block(result.console, "console")],
    el("p", { class: "place" }, "Requests, sockets and more are in ", code(folder)),
  );
}
