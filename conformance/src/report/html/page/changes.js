// Several releases of a server, in order: counts as small charts, and what changed from one to the next.

// Runs whose names differ by a version alone belong together; where there are none, the order given is the order.
function families() {
  const base = (run) => run.name.toLowerCase().replace(/[-_@ /]*v?\d+(\.\d+)+[^\s/]*/g, "");
  const out = new Map();
  RUNS.forEach((run, at) => out.set(base(run), [...(out.get(base(run)) || []), at]));
  const several = [...out.values()].filter((runs) => runs.length > 1);
  return several.length ? several : [RUNS.map((_, at) => at)];
}

function changes() {
  return el(
    "section",
    { class: "changes", "aria-label": "Changes" },
    families().map((runs) => el("div", { class: "family" }, el("h2", {}, "From " + RUNS[runs[0]].label + " to " + RUNS[runs[runs.length - 1]].label), trend(runs), runs.slice(1).map((run, at) => difference(runs[at], run)))),
  );
}

function trend(runs) {
  return el("div", { class: "trends" }, OUTCOMES.map(({ key, word }) => el("figure", { class: "trend" }, el("figcaption", {}, badge(key, word)), chart(runs, key))));
}

// Counts of one outcome over the runs. Its own scale: what matters is where it goes.
function chart(runs, key) {
  const [width, height, left, bottom] = [260, 92, 22, 20];
  const values = runs.map((run) => RUNS[run].counts[key]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = (at) => left + (at * (width - 2 * left)) / Math.max(1, runs.length - 1);
  const y = (value) => (high === low ? 46 : 26 + (1 - (value - low) / (high - low)) * (height - bottom - 40));
  const points = values.map((value, at) => x(at) + "," + y(value)).join(" ");
  const words = values.map((value, at) => RUNS[runs[at]].label + ": " + value).join(", ");
  return svg(
    "svg",
    { class: "chart n-" + key, viewBox: "0 0 " + width + " " + height, role: "img", "aria-label": OUTCOME[key].word + ". " + words },
    svg("polyline", { points }),
    values.map((value, at) => [svg("circle", { cx: x(at), cy: y(value), r: 3.5 }, svg("title", {}, RUNS[runs[at]].label + ": " + value)), runs.length <= 8 || at === 0 || at === runs.length - 1 ? svg("text", { class: "value", x: x(at), y: y(value) - 9, "text-anchor": "middle" }, String(value)) : null]),
    [0, runs.length - 1].map((at) => svg("text", { class: "tick", x: at ? width : 0, y: height - 4, "text-anchor": at ? "end" : "start" }, version(RUNS[runs[at]]))),
  );
}

function version(run) {
  const found = /v?\d+(\.\d+)+\S*/.exec(run.label);
  const text = found ? found[0] : run.label;
  return text.length > 18 ? text.slice(0, 17) + "…" : text;
}

function difference(before, after) {
  const bad = (outcome) => outcome === "fail" || outcome === "expected";
  const good = (outcome) => outcome === "pass" || outcome === "lenient";
  const lists = { broken: [], mended: [], remark: [], fresh: [], gone: [], idle: [] };
  for (const it of CASES.values()) {
    if (!asked(it)) continue;
    const all = outcomesOf(it);
    const [a, b] = [all[before], all[after]];
    if (a === b) continue;
    if (a === null) lists.fresh.push(it);
    else if (b === null) lists.gone.push(it);
    else if (bad(b) && !bad(a)) lists.broken.push(it);
    else if (bad(a) && good(b)) lists.mended.push(it);
    else if (b === "skip" || a === "skip") lists.idle.push(it);
    else lists.remark.push(it);
  }
  const titles = {
    broken: "newly failing",
    mended: "newly passing",
    remark: "failing or passing otherwise",
    idle: "run in only one of them",
    fresh: "new cases",
    gone: "cases no longer there",
  };
  const shown = Object.entries(lists).filter(([, list]) => list.length);
  return el(
    "div",
    { class: "difference" },
    el("h3", {}, RUNS[before].label, el("span", { class: "to" }, "→"), RUNS[after].label),
    shown.length
      ? shown.map(([key, list]) => {
          const body = el("div", { class: "changed" });
          const fold = el("details", { toggle: open }, el("summary", {}, el("b", { class: "size " + key }, String(list.length)), titles[key]), body);
          function open() {
            if (fold.open && !body.firstChild) body.append(some(list, 60, (it) => change(it, before, after), "cases"));
          }
          if (key === "broken" || (key === "mended" && list.length <= 30)) {
            fold.open = true;
            open();
          }
          return fold;
        })
      : el("p", { class: "empty" }, "Nothing changed" + (isFiltered() ? " among what the filters leave." : ".")),
  );
}

function change(it, before, after) {
  return el("div", { class: "change" }, el("span", { class: "pair" }, cell(it, before), el("span", { "aria-hidden": "true" }, "→"), cell(it, after)), el("span", { class: "what" }, code(it.id), el("span", {}, visible(it.scenario.title))));
}
