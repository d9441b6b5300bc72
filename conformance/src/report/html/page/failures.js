// What failed, before anything else: what the protocol says, what was expected, what came.

// Failures of one scenario with one message, but for times and ids, are one: over several transports, and on several servers.
function failures() {
  const groups = new Map();
  for (const it of CASES.values()) {
    if (!asked(it)) continue;
    it.results.forEach((result, run) => {
      if (!result || result.outcome !== "fail") return;
      const failure = (result.failures || [])[0];
      const message = String(failure ? failure.message : result.reason);
      const key = it.scenario.id + "\n" + message.replace(/\b(\d+(\.\d+)?m?s|[\w-]{16,})\b/g, "…");
      if (!groups.has(key)) groups.set(key, { scenario: it.scenario, failure, result, where: [] });
      groups.get(key).where.push([it, run]);
    });
  }
  const order = generationsInOrder();
  const rank = ({ scenario }) => order.indexOf(scenario.generation);
  return [...groups.values()].sort((a, b) => rank(a) - rank(b));
}

function failureCard({ scenario, failure, result, where }) {
  const [first, run] = where[0];
  const says = failure && failure.needs.map((number) => DATA.requirements[number]).find((it) => it.text);
  const name = ([it, at]) => [RUNS.length > 1 && RUNS[at].label, it.over, it.row.also].filter(Boolean).join(" · ") || "open";
  return el(
    "article",
    { class: "failure" },
    el(
      "h3",
      {},
      el("a", { href: fragment({ case: first.id, run }) }, prose(failure ? failure.message : result.reason || "failed")),
    ),
    el("p", { class: "of" }, code(scenario.id), el("span", {}, visible(scenario.title)), failure && el("span", { class: "line-number" }, "line " + failure.line)),
    says && el("blockquote", {}, prose(says.text), el("cite", {}, says.id)),
    failure && comparison(failure),
    el("div", { class: "where" }, where.slice(0, 24).map((it) => cell(it[0], it[1], name(it))), where.length > 24 && el("span", {}, "and " + (where.length - 24) + " more")),
  );
}

function failureList() {
  const found = failures();
  if (!found.length) return null;
  const cases = found.reduce((sum, group) => sum + group.where.length, 0);
  return el(
    "section",
    { class: "failures", "aria-label": "Failures" },
    el("h2", {}, "What failed", el("span", { class: "amount" }, plural(cases, "case") + (found.length < cases ? ", " + plural(found.length, "cause") : ""))),
    some(found, 6, failureCard, "failures"),
  );
}

// Expected beside actual, with what differs marked.
function comparison(failure) {
  if (failure.expected === undefined && failure.got === undefined) return null;
  const [wanted, came] = marked(failure.expected, failure.got);
  return el(
    "dl",
    { class: "comparison" },
    failure.expected !== undefined && el("div", { class: "wanted" }, el("dt", {}, "expected"), el("dd", {}, el("pre", {}, wanted))),
    failure.got !== undefined && el("div", { class: "came" }, el("dt", {}, "came"), el("dd", {}, el("pre", {}, came))),
    failure.got === undefined && /^nothing came|timed? ?out/.test(failure.message) && el("div", { class: "came" }, el("dt", {}, "came"), el("dd", {}, el("p", {}, "nothing"))),
  );
}

// Marks the middles of two packets that begin or end alike. A pattern with holes is compared by no characters.
function marked(expected = "", got = "") {
  const step = /^(\S+(?: \S+)?) (<{1,2}) (.*)$/s.exec(expected);
  const plain = [[visible(expected)], [visible(got)]];
  if (!step || !got || /\$[(a-z]|\.\.\./.test(step[3])) return plain;
  const [a, b] = [step[3], got];
  let start = 0;
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  if (start + end < 2 || (start === a.length && start === b.length)) return plain;
  const parts = (text) => [visible(text.slice(0, start)), el("mark", {}, visible(text.slice(start, text.length - end))), visible(text.slice(text.length - end))];
  return [[visible(step[1] + " " + step[2] + " "), ...parts(a)], parts(b)];
}
