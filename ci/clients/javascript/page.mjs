// What the clients of old find in a page and not in Node, as far as their transports ask for it: a request that tells
// bytes from text, scripts, and forms.

import { request } from "node:http";
import { Script as Program } from "node:vm";

/** An XMLHttpRequest that knows `responseType`. It gives a Buffer where a page would give an ArrayBuffer. */
export class PageRequest {
  static XMLHttpRequest = PageRequest;

  readyState = 0;
  responseType = "";
  #method;
  #url;
  #headers = {};
  #request;
  #response;
  #body;

  open(method, url) {
    [this.#method, this.#url] = [method, url];
  }

  setDisableHeaderCheck() {} // asked for before a header is set that a page could not set

  setRequestHeader(name, value) {
    this.#headers[name] = value;
  }

  getResponseHeader(name) {
    return this.#response?.headers[name.toLowerCase()] ?? null;
  }

  get status() {
    return this.#response?.statusCode ?? 0;
  }

  get response() {
    return this.responseType === "arraybuffer" ? this.#body : this.#body?.toString();
  }

  get responseText() {
    if (this.responseType !== "") throw new Error("the response is no text");
    return this.#body?.toString() ?? "";
  }

  send(body) {
    this.#request = fetch(this.#method, this.#url, this.#headers, body ?? "", {
      begun: (response) => {
        this.#response = response;
        this.#become(2);
      },
      done: (bytes) => {
        this.#body = bytes;
        this.#become(4);
      },
      failed: () => {
        this.#response = undefined;
        this.#become(4);
      },
    });
  }

  abort() {
    this.#request?.destroy();
  }

  #become(state) {
    this.readyState = state;
    this.onreadystatechange?.();
  }
}

class Element {
  children = [];
  style = {};

  setAttribute() {}

  appendChild(child) {
    return this.insertBefore(child);
  }

  insertBefore(child) {
    child.parentNode = this;
    this.children.push(child);
    child.inserted?.();
    return child;
  }

  removeChild(child) {
    this.children.splice(this.children.indexOf(child), 1);
    child.parentNode = null;
  }
}

/** Loads and runs what it is given once it is in the document. */
class Script extends Element {
  inserted() {
    const failed = () => this.onerror?.(new Error("the script did not load"));
    fetch("GET", this.src, {}, "", {
      done: (bytes, { statusCode }) => (statusCode === 200 ? runScript(bytes.toString()) : failed()),
      failed,
    });
  }
}

function runScript(text) {
  // The language allows line separators in strings only since 2019.
  const program = /[\u2028\u2029]/.test(text) ? undefined : compiled(text);
  if (program) program.runInThisContext();
  else console.error(`a page could not run the script ${JSON.stringify(text.slice(0, 80))}`);
}

function compiled(text) {
  try {
    return new Program(text);
  } catch {
    return undefined;
  }
}

/** Posts its one field, and says so to the frame that is its target, even if the post failed. */
class Form extends Element {
  submit() {
    const [{ name, value }] = this.children;
    const frame = this.children.find((child) => child.name === this.target);
    const body = new URLSearchParams({ [name]: value.replace(/\r\n?|\n/g, "\r\n") }).toString();
    const loaded = () => frame.onload?.();
    fetch("POST", this.action, { "Content-Type": "application/x-www-form-urlencoded" }, body, {
      done: loaded,
      failed: loaded,
    });
  }
}

const KINDS = { script: Script, form: Form, iframe: Element, textarea: Element };

export const document = {
  head: new Element(),
  body: new Element(),
  createElement: (tag) => new KINDS[tag](),
  getElementsByTagName: () => [],
};

function fetch(method, url, headers, body, { begun, done, failed }) {
  const asked = request(url, { method, headers: { ...headers, "Content-Length": Buffer.byteLength(body) }, agent: false });
  asked.on("error", failed);
  asked.on("response", (response) => {
    begun?.(response);
    const parts = [];
    response.on("data", (part) => parts.push(part));
    response.on("end", () => done(Buffer.concat(parts), response));
    response.on("error", failed);
  });
  asked.end(body);
  return asked;
}
