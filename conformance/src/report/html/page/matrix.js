// Servers by cases: a group for each topic of a generation, a row for each scenario, a cell for each transport.

function groups(rows) {
  const out = new Map();
  for (const row of rows) {
    const key = row.generation + "/" + row.topic;
    if (!out.has(key)) out.set(key, { key, generation: row.generation, topic: row.topic, rows: [] });
    out.get(key).rows.push(row);
  }
  return [...out.values()];
}

function matrix() {
  const rows = ROWS.filter((row) => row.cases.some(asked));
  const cases = rows.reduce((sum, row) => sum + row.cases.filter(asked).length, 0);
  const title = el("h2", {}, "Every case", el("span", { class: "amount" }, isFiltered() ? cases + " of " + plural(CASES.size, "case") : plural(CASES.size, "case")));
  if (!rows.length) return el("section", { class: "matrix" }, title, el("p", { class: "empty" }, "No case fits these filters. ", clearer()));
  const few = isFiltered() && rows.length <= 150;
  room = ROOM / RUNS.length;
  const sections = generationsInOrder().map((generation) => {
    const mine = groups(rows.filter((row) => row.generation === generation));
    return mine.length ? generationSection(generation, mine, few) : null;
  });
  return el("section", { class: "matrix" + (RUNS.length === 1 ? " single" : RUNS.length > 4 ? " many" : ""), "aria-label": "Every case", keydown: walk }, title, legend(), sections);
}

function legend() {
  return el("p", { class: "legend" }, OUTCOMES.map(({ key }) => badge(key)));
}

function generationSection(generation, mine, few) {
  const columns = slots(generation);
  const width = Math.max(columns.length, 3);
  const known = GENERATIONS[generation];
  const heads = RUNS.map((run) =>
    el(
      "div",
      { class: "block heads" },
      RUNS.length > 1 && el("span", { class: "server", title: visible(run.name) }, run.label),
      el("div", { class: "slots" }, columns.map((over) => el("span", { class: "over" }, over))),
    ),
  );
  return el(
    "section",
    { class: "generation", style: "--slots:" + width },
    el("div", { class: "line top" }, el("h3", {}, generation, known && el("span", { class: "amount" }, known.title)), el("div", { class: "blocks", "aria-hidden": "true" }, heads)),
    mine.map((group) => groupSection(group, columns, few)),
  );
}

// Groups with failures are open, as far as a page with so many cells opens at once.
const ROOM = 900;
let room = ROOM;

function isOpen(group, few) {
  if (state.open.has(group.key)) return true;
  if (state.shut.has(group.key)) return false;
  if (few) return true;
  const failing = group.rows.some((row) => row.cases.some((it) => asked(it) && outcomesOf(it).includes("fail")));
  if (failing) room -= group.rows.length;
  return failing && room >= 0;
}

function groupSection(group, columns, few) {
  const cases = group.rows.flatMap((row) => row.cases).filter(asked);
  const rows = el("div", { class: "rows" });
  const button = el(
    "button",
    { class: "fold", type: "button", click: toggle },
    el("span", { class: "turn", "aria-hidden": "true" }),
    el("span", { class: "topic" }, group.topic),
    el("span", { class: "amount" }, plural(cases.length, "case")),
  );
  const blocks = RUNS.map((_, run) => {
    const counts = count(cases, run);
    const grave = ["fail", "expected", "lenient"].filter((key) => counts[key]);
    return el("div", { class: "block sum" }, bar(counts), grave.slice(0, 2).map((key) => el("span", { class: "few o-" + key, title: counts[key] + " " + OUTCOME[key].word }, mark(key), String(counts[key]))));
  });
  const section = el("div", { class: "group", "data-group": group.key }, el("div", { class: "line" }, button, el("div", { class: "blocks" }, blocks)), rows);
  const show = (open) => {
    section.classList.toggle("open", open);
    button.setAttribute("aria-expanded", String(open));
    if (open && !rows.firstChild) {
      rows.append(...group.rows.map((row) => matrixRow(row, columns)));
      const first = rows.querySelector("button.cell");
      if (first) first.tabIndex = 0;
    }
  };
  section.show = show;
  show(isOpen(group, few));
  function toggle() {
    const open = !section.classList.contains("open");
    show(open);
    const [opened, shut] = [new Set(state.open), new Set(state.shut)];
    (open ? opened : shut).add(group.key);
    (open ? shut : opened).delete(group.key);
    tune({ open: opened, shut });
  }
  return section;
}

function matrixRow(row, columns) {
  const name = el("div", { class: "what" }, el("span", { class: "name" }, visible(row.name), row.also && el("small", {}, row.also)), el("span", { class: "title" }, visible(row.scenario.title)));
  const blocks = RUNS.map((run, at) => {
    const plain = row.cases.find((it) => !it.over);
    const cells = columns.map((over) => {
      const it = row.cases.find((it) => it.over === over);
      return it ? away(cell(it, at)) : el("span", { class: "cell gap", "aria-hidden": "true" });
    });
    const wide = plain && away(cell(plain, at, plain.results[at] ? shortWord(plain.results[at].outcome) : ""));
    if (wide) wide.classList.add("broad");
    return el("div", { class: "block" }, RUNS.length > 1 && el("span", { class: "server" }, run.label), el("div", { class: "slots" }, wide || cells));
  });
  return el("div", { class: "line row" }, name, el("div", { class: "blocks" }, blocks));
}

function shortWord(outcome) {
  return OUTCOME[outcome].short || OUTCOME[outcome].word;
}

// One stop of the Tab key for each group; arrows move within.
function away(button) {
  if (button.tagName === "BUTTON") button.tabIndex = -1;
  return button;
}

function walk(event) {
  const here = event.target.closest("button.cell");
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (!here || !step) return;
  event.preventDefault();
  const line = here.closest(".row");
  const inLine = (row) => [...row.querySelectorAll("button.cell")];
  let next = null;
  if (step[0]) {
    const cells = inLine(line);
    next = cells[cells.indexOf(here) + step[0]];
  } else {
    const lines = [...event.currentTarget.querySelectorAll(".group.open .row")];
    const x = here.getBoundingClientRect().left;
    const far = (cell) => Math.abs(cell.getBoundingClientRect().left - x);
    for (let at = lines.indexOf(line) + step[1]; lines[at] && !next; at += step[1]) {
      next = inLine(lines[at]).sort((a, b) => far(a) - far(b))[0];
    }
  }
  if (!next) return;
  here.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}
