// Puts the page together, and again when the address changes.

const app = document.getElementById("app");
const place = { head: el("div"), bar: el("div", { class: "bar-of-filters no-print" }), main: el("main"), panel: el("div", { class: "panel-holder" }) };
let drawn = null;
let opener = null;

// Of what the panel has no part in.
function viewKey() {
  return fragment({ case: null, open: new Set(), shut: new Set() });
}

function draw() {
  readState();
  if (drawn !== viewKey()) {
    const typing = document.activeElement && document.activeElement.id === "search";
    place.head.replaceChildren(head());
    if (!typing || !place.bar.firstChild) place.bar.replaceChildren(filters());
    else place.bar.replaceWith((place.bar = barAround(document.activeElement)));
    place.main.replaceChildren(...view().filter(Boolean));
    drawn = viewKey();
  }
  drawPanel();
}

function view() {
  if (state.view === "coverage") return [coverage()];
  if (state.view === "changes") return [changes()];
  return [failureList(), matrix()];
}

// What is typed into stays where it is while everything else is drawn anew.
function barAround(search) {
  const bar = el("div", { class: "bar-of-filters no-print" }, filters());
  const fresh = bar.querySelector("#search");
  queueMicrotask(() => {
    fresh.focus();
    fresh.setSelectionRange(search.selectionStart, search.selectionEnd);
  });
  return bar;
}

function drawPanel() {
  const open = Boolean(state.case);
  document.body.classList.toggle("with-panel", open);
  for (const it of document.querySelectorAll(".cell.current")) it.classList.remove("current");
  if (!open) {
    place.panel.replaceChildren();
    if (opener && opener.isConnected) opener.focus();
    opener = null;
    return;
  }
  if (!place.panel.contains(document.activeElement)) opener = document.activeElement;
  place.panel.replaceChildren(panel());
  for (const it of place.main.querySelectorAll("[data-case]")) {
    it.classList.toggle("current", it.dataset.case === state.case && Number(it.dataset.run) === state.run);
  }
  place.panel.firstChild.focus({ preventScroll: true });
}

function clearer() {
  return el("button", { class: "link", type: "button", click: () => tune({ q: "", outcome: new Set(), generation: new Set(), over: new Set(), diff: false }) }, "Clear all filters");
}

function filters() {
  const tabs = [["cases", "Cases"], ["coverage", "Coverage"], RUNS.length > 1 && ["changes", "Changes"]].filter(Boolean);
  const search = el("input", { id: "search", type: "search", placeholder: "Search id, title, requirement", "aria-label": "Search id, title, requirement", value: state.q, input: later });
  let timer = 0;
  function later() {
    clearTimeout(timer);
    timer = setTimeout(() => tune({ q: search.value.trim() }), 180);
  }
  const chip = (name, value, text) => el("button", { class: "chip", type: "button", "aria-pressed": String(state[name].has(value)), click: () => tune({ [name]: toggled(state[name], value) }) }, text);
  const overs = new Set(generationsInOrder().filter((it) => !state.generation.size || state.generation.has(it)).flatMap(slots));
  for (const over of state.over) overs.add(over);
  const group = (label, chips) => (chips.length > 1 ? el("div", { class: "chips", role: "group", "aria-label": label }, chips) : null);
  const ofCases = state.view !== "coverage";
  return el(
    "div",
    { class: "filters" },
    el("nav", { class: "tabs", "aria-label": "Views" }, tabs.map(([key, word]) => el("a", { href: fragment({ view: key, case: null }), "aria-current": state.view === key ? "page" : null }, word))),
    el("div", { class: "search" }, search),
    ofCases && RUNS.length > 1 && group("Outcome", OUTCOMES.map(({ key, word }) => chip("outcome", key, [mark(key), word]))),
    ofCases && group("Generation", generationsInOrder().map((it) => chip("generation", it, it))),
    ofCases && group("Transport", [...overs].map((it) => chip("over", it, it))),
    ofCases && RUNS.length > 1 && el("div", { class: "chips" }, el("button", { class: "chip", type: "button", "aria-pressed": String(state.diff), click: () => tune({ diff: !state.diff }) }, "only what differs")),
    isFiltered() && clearer(),
  );
}

// On paper everything is open.
function unfold() {
  for (const more of document.querySelectorAll(".more")) more.click();
  for (const group of document.querySelectorAll(".group")) group.show(true);
  for (const fold of document.querySelectorAll("details:not(.req)")) fold.open = true;
}

function keys(event) {
  const typing = /^(INPUT|TEXTAREA)$/.test(event.target.tagName);
  if (event.key === "Escape" && state.case) go({ case: null });
  else if (event.key === "/" && !typing) {
    event.preventDefault();
    document.getElementById("search").focus();
  }
}

document.body.prepend(sprite());
app.append(place.head, place.bar, place.main, place.panel);
addEventListener("hashchange", draw);
addEventListener("keydown", keys);
addEventListener("beforeprint", unfold);
draw();
