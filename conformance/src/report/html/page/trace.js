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

// Steps in order: { lanes, part, way, text, at, seen, more } and { rule } for what a reference says. `verdict` is what stands at
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
      if (last && last.way) last.seen.push({ ...action(text), at: tenths });
      else steps.push({ ...action(text), at: tenths, seen: [], more: [] });
    } else if (text.startsWith("@")) steps.push({ rule: text.slice(1).trim() });
    else if (text.startsWith("#")) verdict.push(text.slice(1).trim());
    else if (/^\s/.test(text)) {
      if (last && last.more) last.more.push(text.trim());
    } else if (text) steps.push({ ...action(text), raw: text, at: tenths, seen: [], more: [] });
  }
  return { steps, verdict };
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
  const [, limit, act] = /^(\[[^\]]*\])?\s*(.*)$/s.exec(rest);
  const names = lanes.split(",").map((lane) => lane.split("."));
  for (const [shape, way] of WAYS) {
    const found = shape.exec(act);
    if (!found) continue;
    const note = { ">b": "binary ", "<b": "binary ", ">x": "bytes ", "<x": "bytes " }[found[1]] || "";
    const ends = /^(closed|eof|close|drop)\b/.test(act);
    return { lanes: names.map(([lane]) => lane), part: names[0][1] || "", way, text: note + found[2], limit, ends, mark: found[1] };
  }
  return { lanes: names.map(([lane]) => lane), part: names[0][1] || "", way: "note", text: act, limit };
}
