// The code of a file: which line one is on, the form for a new probe there, and the probes that are.
//
// The probes come as a part of the page that is asked for again and again, and each is shown at the
// end of its line; a file's own lines do not change while one looks.
import { ask } from "./ask.js";
import { keys } from "./keys.js";
import { refreshParts } from "./live-part.js";
import { morph } from "./morph.js";
import { Distribution } from "./distribution.js";
import "./probe-form.js";
import "./twin-ask.js";

const FORMS = "probe-form, twin-ask, .why-not";

class SourceView extends HTMLElement {
  connectedCallback() {
    this.code = this.querySelector(".code");
    this.probes = this.querySelector(".line-probes");
    this.functions = [...this.querySelectorAll("[data-function][data-first]")].map(read);
    this.distribution = new Distribution(this);
    this.over = new AbortController();
    const { signal } = this.over;
    this.code.addEventListener("click", (event) => this.clicked(event), { signal });
    this.code.addEventListener("focusin", (event) => {
      const line = event.target.closest(".line");
      if (line && event.target.closest(".gutter")) this.become(line);
    }, { signal });
    this.probes.addEventListener("refreshed", () => this.spread(), { signal });
    addEventListener("hashchange", () => this.goToHash(), { signal });
    this.code.querySelectorAll(".line").forEach((line, before) => number(line, before + 1));
    if (matchMedia("(max-width: 60rem)").matches) this.querySelector(".outline").open = false;
    this.forget = [
      keys.add("j", "Next line", () => this.step(1)),
      keys.add("k", "Line before", () => this.step(-1)),
      keys.add("ArrowDown", "Next line", (event) => this.step(1, event)),
      keys.add("ArrowUp", "Line before", (event) => this.step(-1, event)),
      keys.add("n", "Next line with a probe", () => this.toProbe(1)),
      keys.add("N", "Line with a probe before", () => this.toProbe(-1)),
      keys.add("p", "Place a probe on the line", () => this.open(this.line)),
      keys.add("a", "Ask a twin at the line", () => this.open(this.line, "twin-ask")),
      keys.add("v", "Show the values of the line's probe", () => this.line.querySelector(".chip")?.focus()),
      keys.add("x", "Remove the line's probes", () => this.removeFrom(this.line)),
    ];
    this.spread();
    this.goToHash();
  }

  disconnectedCallback() {
    this.over.abort();
    this.distribution.hide();
    for (const forget of this.forget) forget();
  }

  at(number) { return this.code.querySelector(`[id="L${number}"]`); }

  goToHash() {
    const wanted = behindHash();
    let line = /^L\d+$/.test(wanted) ? this.at(wanted.slice(1)) : null;
    if (!line && wanted) line = this.definition(wanted);
    if (!line) return this.become(this.line ?? this.code.querySelector(".line"), { quiet: true });
    this.become(line);
    line.querySelector(".gutter").focus({ preventScroll: true });
    return line.scrollIntoView({ block: "center" });
  }

  /** The line of a function, or of a class, by its qualified name. */
  definition(name) {
    const known = this.functions.find((one) => one.name === name);
    if (known) return this.at(known.first);
    const last = name.split(".").pop();
    return [...this.code.querySelectorAll(".line")].find((line) => {
      const words = line.querySelector("code").textContent.trim().split(/\W+/, 2);
      return words[0] === "class" && words[1] === last;
    });
  }

  /** Make a line the one that keys are about; its gutter is what Tab leads to. */
  become(line, { quiet = false } = {}) {
    if (!line) return;
    if (this.line !== line) {
      this.line?.classList.remove("current");
      const before = this.line?.querySelector(".gutter");
      if (before) before.tabIndex = -1;
    }
    this.line = line;
    line.querySelector(".gutter").tabIndex = 0;
    line.classList.toggle("current", !quiet);
    if (!quiet && location.hash !== `#${line.id}`) history.replaceState(null, "", `#${line.id}`);
  }

  step(by, event) {
    const on = this.line.classList.contains("current");
    let line = on ? this.line : this.firstSeen();
    if (on) do { line = by > 0 ? line.nextElementSibling : line.previousElementSibling; } while (line && !line.matches(".line"));
    if (!line || (event && !on)) return on ? undefined : scrollBy(0, by * 40);
    this.become(line);
    return line.querySelector(".gutter").focus();
  }

  firstSeen() {
    return [...this.code.querySelectorAll(".line")].find((one) => one.getBoundingClientRect().top > 0) ?? this.line;
  }

  toProbe(by) {
    const all = [...this.code.querySelectorAll(".line")];
    const from = all.indexOf(this.line);
    const order = all.map((_, number) => all[(from + by * (number + 1) + 2 * all.length) % all.length]);
    const found = order.find((one) => one.querySelector(".line-probe"));
    if (!found) return;
    this.become(found);
    found.querySelector(".gutter").focus();
  }

  clicked(event) {
    const gutter = event.target.closest(".gutter");
    if (gutter) return this.open(gutter.closest(".line"), "probe-form");
    const remove = event.target.closest("[data-remove]");
    if (remove) return this.remove_(remove.dataset.remove, remove.closest(".line"));
    return undefined;
  }

  /** The form at a line that can carry a probe, or the box that asks a twin there; at any other
      line, why it cannot. */
  open(line, name = "probe-form") {
    this.become(line);
    const was = line.nextElementSibling;
    this.querySelector(FORMS)?.remove();
    if (was?.matches(`${name}, .why-not`)) return this.focusLine(line);
    if (!probeable(line)) return this.tellWhy(line);
    const number = Number(line.id.slice(1));
    const inside = this.functionAt(number, line.dataset.head);
    const form = document.createElement(name);
    form.addEventListener("closed", () => this.focusLine(line));
    form.addEventListener("asks", () => this.open(line, "twin-ask"));
    line.after(form);
    form.begin({
      service: this.getAttribute("service"),
      file: this.getAttribute("file"),
      line: number,
      text: line.querySelector("code").textContent,
      before: this.before(number, inside),
      anchor: line.dataset.anchor ?? this.anchor(line),
      can: line.classList.contains("can"),
      inside,
    }, this.querySelector(name === "twin-ask" ? "template[data-twin]" : "template[data-form]"));
    return form.scrollIntoView({ block: "nearest" });
  }

  /** What ties a probe to a line that is shown as it is. */
  anchor(line) {
    const words = line.querySelector("code").textContent.trim().split(/\s+/);
    return words.join(" ").slice(0, Number(this.getAttribute("anchor-chars")));
  }

  /** The lines of the function before one: what was assigned there is what one may want to see. */
  before(number, inside) {
    const first = Math.max(number - 4, (inside?.head ?? 0) + 1, 1);
    const lines = [];
    for (let at = first; at < number; at += 1) lines.push(this.at(at).querySelector("code").textContent);
    return lines.join("\n");
  }

  focusLine(line) { line.querySelector(".gutter").focus({ preventScroll: true }); }

  functionAt(number, name) {
    const around = this.functions.filter((one) => one.first <= number && number <= one.last);
    return around.findLast((one) => one.name === name) ?? around.at(-1);
  }

  tellWhy(line) {
    const told = document.createElement("p");
    told.className = "why-not";
    told.setAttribute("role", "status");
    told.append(`Line ${line.id.slice(1)} ${line.dataset.why ?? "is blank"}.`);
    const near = this.nearest(line);
    if (near.length) told.append(" The nearest that can carry one: ");
    near.forEach((one, index) => {
      const link = document.createElement("a");
      link.href = `#${one.id}`;
      link.textContent = `line ${one.id.slice(1)}`;
      link.addEventListener("click", () => { told.remove(); });
      told.append(index ? ", " : "", link);
    });
    line.after(told);
  }

  nearest(line) {
    const near = [];
    for (const way of ["previousElementSibling", "nextElementSibling"]) {
      let one = line[way];
      while (one && !one.matches(".can")) one = one[way];
      if (one) near.push(one);
    }
    return near;
  }

  /** Put each probe at the end of its line. */
  spread() {
    const by = new Map();
    for (const probe of this.probes.children) {
      const line = this.at(this.lineOf(probe));
      if (line) by.set(line, [...(by.get(line) ?? []), probe]);
    }
    for (const line of this.code.querySelectorAll(".line.probed")) {
      if (!by.has(line)) slot(line).replaceChildren();
      line.classList.toggle("probed", by.has(line));
    }
    for (const [line, probes] of by) {
      const fresh = document.createElement("div");
      fresh.append(...probes.map((one) => one.cloneNode(true)));
      line.classList.add("probed");
      morph(slot(line), fresh);
    }
  }

  lineOf(probe) {
    const number = Number(probe.dataset.line);
    if (number) return number;
    return this.functions.find((one) => one.name === probe.dataset.function)?.first ?? 0;
  }

  async removeFrom(line) {
    for (const one of line.querySelectorAll("[data-remove]")) await this.remove_(one.dataset.remove, line);
  }

  async remove_(probe, line) {
    try {
      await ask(`/v1/probes/${encodeURIComponent(probe)}`, { method: "DELETE" });
    } catch (error) {
      if (error.slug !== "no-such-probe") throw error; // somebody else was quicker
    }
    this.distribution.hide();
    await refreshParts();
    this.focusLine(line);
  }
}

function number(line, at) {
  line.id = `L${at}`;
  const gutter = line.firstElementChild;
  gutter.textContent = at;
  const does = probeable(line) ? "place a probe" : "why no probe can be here";
  gutter.setAttribute("aria-label", `Line ${at}: ${does}`);
}

function probeable(line) { return line.matches(".can, .head"); }

/** Where the probes of a line are shown. */
function slot(line) {
  const there = line.querySelector(".slot");
  if (there) return there;
  const made = line.appendChild(document.createElement("div"));
  made.className = "slot";
  return made;
}

/** What the address names; a link that was cut off within a letter names nothing. */
function behindHash() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}

function read(link) {
  const { function: name, first, head, last, variables } = link.dataset;
  const names = variables ? variables.split(" ") : [];
  return { name, first: Number(first), head: Number(head), last: Number(last), variables: names, parameters: names.slice(0, 3) };
}

customElements.define("source-view", SourceView);
