// The trace as a picture: clients left, the server right, an arrow for each packet.

const FONT = { size: 12, width: 7.25, line: 16 };

function sequence(result, width) {
  const { steps, verdict } = readTrace(result.wire);
  const failure = (result.failures || [])[0];
  const remarks = (result.lenient || []).map((it) => it.expected);
  const lanes = [...new Set(steps.flatMap((step) => step.lanes || []))];
  if (!lanes.length) return null;
  const narrow = width < 480;
  const gutter = narrow ? 8 : 70;
  const gap = Math.min(narrow ? 34 : 56, (width * 0.4) / lanes.length);
  const x = Object.fromEntries(lanes.map((lane, at) => [lane, gutter + 22 + at * gap]));
  const server = width - (narrow ? 26 : 36);
  const picture = { width, gutter, narrow, x, server, y: 44, marks: [] };
  const broken = failure ? brokenStep(steps, failure) : -1;

  steps.forEach((step, at) => {
    if (step.rule !== undefined) return rule(picture, step.rule);
    const remark = remarks.find((expected) => expected && step.way && says(step, expected));
    const mood = remark ? "remark" : "";
    if (at === broken) return brokenArrow(picture, step, failure, verdict);
    const shown = [...(step.seen.length && step.way !== "both" ? step.seen : [step]), ...step.also];
    for (const it of shown) for (const lane of it.lanes) arrow(picture, { ...it, lane, at: it.at ?? step.at, mood, hint: step.raw });
    if (remark) note(picture, step.lanes[0], "rather " + remark, "remark");
  });
  if (failure && broken < 0) verdict.forEach((line) => note(picture, lanes[0], line, "bad"));

  const height = picture.y + 18;
  const pole = (at, name, kind) => [
    svg("line", { class: "pole", x1: at, x2: at, y1: 30, y2: height - 6 }),
    svg("text", { class: "lane " + kind, x: at, y: 20, "text-anchor": kind === "server" ? "end" : "middle", dx: kind === "server" ? 14 : 0 }, name),
  ];
  const label = "The conversation in " + plural(steps.filter((step) => step.way).length, "step") + ", clients left, server right; the raw trace below says the same in words";
  return svg(
    "svg",
    { class: "sequence", viewBox: "0 0 " + width + " " + height, width, height, role: "img", "aria-label": label },
    arrowheads(),
    lanes.map((lane) => pole(x[lane], visible(lane), "client")),
    pole(server, "server", "server"),
    picture.marks,
  );
}

function arrowheads() {
  const head = (kind) =>
    svg("marker", { id: "head-" + kind, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 8, markerHeight: 8, markerUnits: "userSpaceOnUse", orient: "auto-start-reverse" }, svg("path", { class: "tip " + kind, d: "M0 .5L8 4 0 7.5z" }));
  return svg("defs", {}, ["out", "in", "bad", "remark"].map(head));
}

// The step that the failure names; else the last that anything can have gone wrong at.
function brokenStep(steps, failure) {
  for (let at = steps.length - 1; at >= 0; at -= 1) if (steps[at].way && says(steps[at], failure.expected)) return at;
  return -1;
}

// Whether a line of the case is this step, or stands in it.
function says(step, expected) {
  const plain = (text) => text.replace(/\s+/g, " ");
  return Boolean(expected && step.raw) && [step.raw, ...step.more].some((line) => plain(line).startsWith(plain(expected)));
}

// Text cut into lines that fit; what is too long ends in an ellipsis.
function wrapped(text, width, most) {
  const fit = Math.max(8, Math.floor(width / FONT.width));
  const lines = [];
  for (let rest = visible(text); rest; ) {
    if (rest.length <= fit) {
      lines.push(rest);
      break;
    }
    if (lines.length === most - 1) {
      lines.push(rest.slice(0, fit - 1) + "…");
      break;
    }
    const space = rest.lastIndexOf(" ", fit);
    const end = space > fit * 0.6 ? space + 1 : fit;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  return lines;
}

function texts(lines, x, y, name) {
  return lines.map((line, at) => svg("text", { class: name, x, y: y + at * FONT.line }, line));
}

// What the protocol says about the steps below.
function rule(picture, reference) {
  const ids = reference.split(/\s+/).filter((word) => word.includes("#"));
  const known = DATA.requirements.find((it) => it.id === ids[0]);
  const fit = (picture.server + 14 - picture.gutter - 14) * 1.12;
  const lines = wrapped(known && known.text ? known.text.replaceAll("`", "") : ids.join(" "), fit, 3);
  const height = lines.length * 15 + 10;
  picture.y += 8;
  picture.marks.push(
    svg(
      "g",
      { class: "rule" },
      svg("rect", { x: picture.gutter, y: picture.y, width: picture.server + 14 - picture.gutter, height, rx: 4 }),
      svg("title", {}, ids.join(" ")),
      lines.map((line, at) => svg("text", { x: picture.gutter + 10, y: picture.y + 17 + at * 15 }, line)),
    ),
  );
  picture.y += height + 6;
}

function arrow(picture, it) {
  const from = picture.x[it.lane];
  const inner = picture.server - from - 18;
  if (it.way === "note") return note(picture, it.lane, it.text, it.mood, it.at);
  const part = it.part ? it.part + "  " : "";
  const text = part + it.text + (it.more && it.more.length && it.way !== "in" ? "  " + it.more.join("  ") : "");
  const lines = it.lines ? it.lines.flatMap((line) => wrapped(line, inner - 10, 3)) : wrapped(text, inner - 10, 4);
  const kind = it.mood || (it.way === "in" ? "in" : "out");
  const y = picture.y + lines.length * FONT.line + 4;
  const [x1, x2] = it.way === "in" ? [picture.server, from] : [from, picture.server];
  picture.marks.push(
    svg(
      "g",
      { class: "arrow " + kind + (it.dashed ? " dashed" : "") },
      it.hint && svg("title", {}, visible(it.hint)),
      time(picture, it.at, y),
      texts(lines, from + 10, picture.y + FONT.line - 3, "packet"),
      svg("line", { x1, x2, y1: y, y2: y, "marker-end": "url(#head-" + kind + ")", "marker-start": it.way === "both" ? "url(#head-" + kind + ")" : null }),
      it.ends && svg("path", { class: "end", d: "M" + (x2 - 4) + " " + (y - 4) + "l8 8m0-8l-8 8" }),
    ),
  );
  picture.y = y + 8;
}

function time(picture, at, y) {
  if (at === undefined || picture.narrow) return null;
  return svg("text", { class: "time", x: picture.gutter - 10, y: y - 4, "text-anchor": "end" }, at < 10000 ? (at / 10).toFixed(1) + " ms" : (at / 10000).toFixed(3) + " s");
}

// What one side does by itself.
function note(picture, lane, text, mood, at) {
  const x = picture.x[lane];
  const lines = wrapped(text, picture.server - x - 30, 3);
  picture.marks.push(
    svg("g", { class: "aside " + (mood || "") }, time(picture, at, picture.y + FONT.line + 2), svg("circle", { cx: x, cy: picture.y + 10, r: 3.5 }), texts(lines, x + 10, picture.y + 14, "packet")),
  );
  picture.y += lines.length * FONT.line + 8;
}

// Where it broke: what was asked for, and below it what came.
function brokenArrow(picture, step, failure, verdict) {
  const lane = step.lanes[0];
  const top = picture.y + 2;
  picture.y += 10;
  const start = picture.marks.length;
  const came = [...step.seen, ...step.also];
  const said = came.map((it) => it.text);
  for (const it of came) arrow(picture, { ...it, lane: it.lanes[0], mood: it.text === failure.got ? "bad" : "" });
  const from = picture.x[lane];
  const inner = picture.server - from - 18;
  const heading = (text) => {
    picture.marks.push(svg("text", { class: "heading", x: from + 10, y: picture.y + 11 }, text));
    picture.y += 14;
  };
  heading("expected");
  const wanted = { ...step, lane, seen: [], mood: "bad", dashed: true };
  if (step.way === "in" && step.more.length) wanted.lines = [step.text, ...step.more.map((line) => "  " + line)];
  arrow(picture, wanted);
  if (failure.got !== undefined && !said.includes(failure.got)) {
    heading("came");
    arrow(picture, { lane, way: "in", text: failure.got, part: "", mood: "bad" });
  }
  for (const line of wrapped(failure.message.replaceAll("`", ""), inner * 0.92, 3)) {
    picture.marks.push(svg("text", { class: "wrong", x: from + 10, y: picture.y + 12 }, line));
    picture.y += FONT.line;
  }
  picture.y += 6;
  const box = svg("rect", { class: "broken", x: picture.gutter - 2, y: top, width: picture.server + 16 - picture.gutter, height: picture.y - top, rx: 6 });
  picture.marks.splice(start, 0, box);
  picture.y += 8;
}
