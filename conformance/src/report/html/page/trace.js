// Traces: put together of their lines, and read as what happened one after another.

// The text of a trace, as the program wrote it.
function traceText(wire) {
  const line = (it) => {
    if (typeof it === "number") return DATA.lines[it];
    const [number, tenths, seen] = it;
    if (seen) return "# +" + (tenths / 10).toFixed(1) + "ms  " + DATA.lines[number];
    return DATA.lines[number] + "  # +" + tenths / 10 + "ms";
  };
  return wire.map(line).join("\n") + "\n";
}

// Steps in order: { lanes, part, way, text, at, seen, also, more } and { rule } for what a reference says. `verdict` is what stands at
// the end, where the case failed.
function readTrace(wire) {
  const steps = [];
  const verdict = [];
  let body = false;
  for (const it of wire) {
    const [number, tenths, isSeen] = typeof it === "number" ? [it] : it;
    const text = DATA.lines[number];
    const last = steps[steps.length - 1];
    if (!body && /^[a-z]+:/.test(text)) continue;
    body = true;
    if (isSeen) {
      const seen = { ...action(text), at: tenths };
      const said = seenBy(steps, seen);
      if (said) said.seen.push(seen);
      else if (last && last.way) last.also.push(seen);
      else steps.push({ ...action(text), at: tenths, seen: [], also: [], more: [] });
    } else if (text.startsWith("@")) steps.push({ rule: text.slice(1).trim() });
    else if (text.startsWith("#")) verdict.push(text.slice(1).trim());
    else if (/^\s/.test(text)) {
      if (last && last.more) last.more.push(text.trim());
    } else if (text) steps.push({ ...action(text), raw: text, at: tenths, seen: [], also: [], more: [] });
  }
  return { steps, verdict };
}

// The step that was seen: what is seen of a request and its body stands below the body.
function seenBy(steps, seen) {
  for (let at = steps.length - 1; at >= 0 && at > steps.length - 6; at -= 1) {
    const step = steps[at];
    if (!step.way || !step.lanes.includes(seen.lanes[0])) continue;
    if (/^(any order|one of)/.test(step.text)) return step;
    const again = step.seen.some((it) => it.lanes[0] === seen.lanes[0]);
    if (step.part === seen.part && step.verb === seen.verb && !again) return step;
  }
  return null;
}

const WAYS = [
  [/^(>{1,2}|>b|>x) ?(.*)$/s, "out"],
  [/^(<{1,2}\+?|<b|<x) ?(.*)$/s, "in"],
  [/^()([A-Z]+ \S.*)$/s, "out"],
  [/^()(\d{3}\b.*)$/s, "in"],
  [/^()((?:ws|wt|tcp)\b.*)$/s, "out"],
  [/^()((?:open|reopen|upgrade|fence)\b.*)$/s, "both"],
  [/^()((?:closed|eof)\b.*)$/s, "in"],
  [/^()((?:close|drop|half-close)\b.*)$/s, "out"],
  [/^()((?:any order|one of)\b.*)$/s, "in"],
  [/^()((?:sent|goto)\b.*)$/s, "out"],
];

// `a.poll < 3:::hi`: which lanes, which way, and what.
function action(line) {
  const [, lanes, rest] = /^(\S+)\s*(.*)$/s.exec(line) || [null, "", line];
  const [, act] = /^(?:\[[^\]]*\])?\s*(.*)$/s.exec(rest);
  const names = lanes.split(",").map((lane) => lane.split("."));
  for (const [shape, way] of WAYS) {
    const found = shape.exec(act);
    if (!found) continue;
    const note = { ">b": "binary ", "<b": "binary ", ">x": "bytes ", "<x": "bytes " }[found[1]] || "";
    const ends = /^(closed|eof|close|drop)\b/.test(act);
    return { lanes: names.map(([lane]) => lane), part: names[0][1] || "", way, text: note + found[2], ends, verb: verb(act) };
  }
  return { lanes: names.map(([lane]) => lane), part: names[0][1] || "", way: "note", text: act, verb: verb(act) };
}

// `>` and `>>` are the same here, and so are all statuses.
function verb(act) {
  const [word] = act.split(" ");
  if (/^\d{3}$/.test(word)) return "status";
  return { ">>": ">", "<<": "<", "<<+": "<" }[word] || word;
}
