// Elements. Text is always set as text and never as markup: much of it is what a server sent.

function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((it) => it !== null && it !== undefined && it !== false));
  return element;
}

// Characters that nobody would see, or that turn the direction of what follows, as what they are.
function visible(text) {
  return String(text).replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (c) => "\\u{" + c.charCodeAt(0).toString(16) + "}",
  );
}

function code(text, name) {
  return el("code", { class: name }, visible(text));
}

// A sentence in which `words` of the wire stand between backticks.
function prose(text) {
  return visible(text)
    .split(/(`[^`]+`)/)
    .map((part) => (part.length > 2 && part.startsWith("`") ? el("code", {}, part.slice(1, -1)) : part));
}

function plural(n, one, many) {
  return n + " " + (n === 1 ? one : many || one + "s");
}

function duration(ms) {
  if (ms < 1000) return ms + " ms";
  if (ms < 60000) return (ms / 1000).toFixed(1) + " s";
  return Math.floor(ms / 60000) + " min " + Math.round((ms % 60000) / 1000) + " s";
}

// 2026-11-28T09:58:31Z as people write it; anything else as it is.
function moment(time) {
  const parts = /^(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d)/.exec(time);
  if (!parts) return visible(time);
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  return Number(parts[3]) + " " + (months[parts[2] - 1] || parts[2]) + " " + parts[1] + ", " + parts[4] + " UTC";
}

// A button that puts a text on the clipboard.
function copier(text, label) {
  const button = el("button", { class: "copy", type: "button", click: copy }, label || "Copy");
  async function copy() {
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = el("textarea", { class: "away" });
      area.value = text;
      document.body.append(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
      button.focus();
    }
    button.textContent = done ? "Copied" : "Not copied";
    setTimeout(() => (button.textContent = label || "Copy"), 1500);
  }
  return button;
}

// The first so many of a list, and a button for the rest.
function some(items, most, make, what) {
  const list = el("div", { class: "some" }, items.slice(0, most).map(make));
  if (items.length <= most) return list;
  const more = el("button", { class: "more no-print", type: "button", click: all }, "Show " + (items.length - most) + " more " + what);
  function all() {
    more.replaceWith(...items.slice(most).map(make));
  }
  list.append(more);
  return list;
}
