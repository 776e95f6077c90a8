// A new probe on a line: filled in so that it can be placed at once, and open until every process
// has said that it is armed, or why not.
import { ask } from "./ask.js";
import { refreshParts } from "./live-part.js";
import { visible } from "./visible.js";
import "./name-field.js";

const SETTLED_MS = 10_000;
const LOOK_MS = 80;
const ASSIGNED = /^\s*[\w.,\s[\]()*]*?[^=!<>]=(?!=)/;

class ProbeForm extends HTMLElement {
  /** `place` has `service`, `file`, `line`, `text`, `before`, `anchor`, `can`, `head`, `inside`. */
  begin(place, template) {
    this.place = place;
    this.append(template.content.cloneNode(true));
    this.form = this.querySelector("form");
    this.fields = this.form.elements;
    this.offerPlaces();
    this.form.addEventListener("change", (event) => {
      if (event.target.name === "kind" || event.target.name === "at") this.suit();
    });
    this.form.addEventListener("input", () => { this.told(""); });
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.send(); });
    this.form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
      event.stopPropagation();
    });
    this.querySelector("[data-close]").addEventListener("click", () => this.close());
    this.querySelector("[data-asks]").addEventListener("click", () => this.dispatchEvent(new Event("asks")));
    this.suit();
    (this.kind === "log" ? this.fields.template : this.fields.namedItem("kind")[0])?.focus();
  }

  get kind() { return this.form.querySelector("[name=kind]:checked").value; }

  /** What the kind can look at: the line, or its function's entry and exit. */
  offerPlaces() {
    const { line, can, inside } = this.place;
    const at = this.fields.at;
    if (can) at.add(new Option(`line ${line}`, "line"));
    if (inside) {
      at.add(new Option(`entry of ${inside.name}`, "entry"));
      at.add(new Option(`exit of ${inside.name}`, "exit"));
    }
  }

  /** Show what belongs to the kind, with its defaults. */
  suit() {
    const { kind } = this;
    const radio = this.form.querySelector("[name=kind]:checked");
    for (const field of this.form.querySelectorAll("[data-for]")) {
      field.hidden = !field.dataset.for.split(" ").includes(kind);
    }
    for (const name of ["hits", "minutes", "rate"]) this.fields[name].placeholder = radio.dataset[name];
    this.querySelector(".at").hidden = kind === "exception" || this.fields.at.options.length < 2;
    const scope = this.scope;
    for (const field of this.querySelectorAll("name-field")) field.names = scope;
    const { template, expression } = this.fields;
    const read = this.readHere(scope);
    template.placeholder = read.map((name) => `${name} {${name}}`).join(" ") || "here";
    expression.placeholder = read[0] ?? scope[0] ?? "1";
  }

  get scope() {
    const names = this.place.inside?.variables ?? [];
    return this.fields.at.value === "exit" ? [...names, "result", "duration", "exception"] : names;
  }

  /** The variables that the line reads: what one most likely wants to see. */
  readHere(scope) {
    const at = this.fields.at.value;
    if (at === "exit") return ["result"];
    if (at === "entry") return this.place.inside.parameters;
    const here = known(this.place.text.replace(ASSIGNED, ""), scope);
    return here.length ? here : known(assigned(this.place.before), scope).slice(-3);
  }

  body() {
    const { kind, fields, place } = this;
    const said = (name) => fields[name].value.trim();
    const at = kind === "exception" ? "exit" : said("at");
    const whole = at !== "line" || (kind === "timer" && !said("until"));
    const body = { kind, limits: {} };
    body.target = whole && place.inside ? `${place.file}:${place.inside.name}` : `${place.file}:${place.line}`;
    if (whole && (at === "entry" || at === "exit") && kind !== "timer" && kind !== "exception") body.moment = at;
    if (!whole && place.anchor) body.anchor = { text: place.anchor };
    if (kind === "log") body.template = said("template") || fields.template.placeholder;
    if (kind === "metric") body.expression = said("expression") || fields.expression.placeholder;
    if (kind === "timer" && !whole) body.until = said("until");
    if ((kind === "snapshot" || kind === "exception") && said("watches")) body.watches = listed(said("watches"));
    if (kind === "exception" && said("raises")) body.raises = said("raises").split(/[\s,]+/).filter(Boolean);
    if (said("condition")) body.condition = said("condition");
    for (const [name, member, size] of [["hits", "hits", 1], ["minutes", "ttl_s", 60], ["rate", "rate_per_s", 1]]) {
      if (said(name)) body.limits[member] = number(said(name), name) * size;
    }
    const [who, name] = cut(said("where"), ":");
    if (who === "instance") body.where = { instance: name };
    if (who === "tag") body.where = { tags: Object.fromEntries([cut(name, "=")]) };
    return [who === "every" ? "*" : place.service, body];
  }

  async send() {
    if (this.sending) return;
    this.sending = true; // a button that is disabled would lose the focus
    this.told("");
    try {
      const [service, body] = this.body();
      const { probe } = await ask(`/v1/services/${encodeURIComponent(service)}/probes`, { method: "POST", body });
      await this.settle(probe.id);
    } catch (error) {
      this.told(error.message);
    }
    this.sending = false;
  }

  /** Wait until each process has said how it stands with the probe. */
  async settle(id) {
    const until = Date.now() + SETTLED_MS;
    let probe;
    do {
      ({ probe } = await ask(`/v1/probes/${encodeURIComponent(id)}`));
      this.stand(probe);
      if (probe.instances.every((one) => one.status !== "pending" || one.reported_at)) break;
      await new Promise((go) => { setTimeout(go, LOOK_MS); });
    } while (Date.now() < until && this.isConnected);
    await refreshParts();
    if (probe.instances.length && probe.instances.every((one) => one.status === "armed")) this.close();
    else if (probe.status !== "armed") this.told(probe.reason);
  }

  stand(probe) {
    const list = this.querySelector(".standing");
    list.replaceChildren(...probe.instances.map((one) => {
      const item = document.createElement("li");
      const badge = item.appendChild(document.createElement("span"));
      badge.className = `badge ${one.status}`;
      badge.textContent = one.status;
      item.append(` ${one.program}/${one.pid} `, visible(one.reason));
      if (one.expected) item.append(" expected ", visible(one.expected), " it reads ", visible(one.source));
      return item;
    }));
  }

  told(text) {
    this.querySelector(".told").replaceChildren(text ? visible(text) : "");
  }

  close() {
    this.remove();
    this.dispatchEvent(new Event("closed"));
  }
}

/** The names of a scope that a piece of code names, in its order; quoted texts left aside. */
function known(code, scope) {
  const bare = code.replace(/(["'])(?:\\.|(?!\1).)*\1/g, " ");
  const words = bare.match(/(?<![\w.])[A-Za-z_]\w*/g) ?? [];
  // what a loop or a comprehension names has no value before it
  const looped = (bare.match(/\bfor\s+[\w,\s()]+?\sin\b/g) ?? []).join(" ").match(/\w+/g) ?? [];
  const given = (word) => scope.includes(word) && !looped.includes(word);
  return [...new Set(words)].filter(given).slice(0, 4);
}

/** What stands on the left of the assignments in some lines. */
function assigned(code) {
  return [...code.matchAll(/^\s*([\w,\s]+?)\s*[-+*/|&]?=(?!=)/gm)].map(([, left]) => left).join(" ");
}

function number(text, name) {
  const found = Number(text);
  if (!Number.isFinite(found)) throw new Error(`${name} is a number, not ${text}.`);
  return found;
}

function cut(text, at) {
  const [first, ...rest] = text.split(at);
  return [first, rest.join(at)];
}

/** Expressions with commas between them; commas in brackets or quotes are theirs. */
function listed(text) {
  const found = [""];
  let depth = 0;
  let quote = "";
  for (const one of text) {
    if (quote) quote = one === quote ? "" : quote;
    else if (one === "'" || one === '"') quote = one;
    else if ("([{".includes(one)) depth += 1;
    else if (")]}".includes(one)) depth -= 1;
    if (one === "," && !depth && !quote) found.push("");
    else found[found.length - 1] += one;
  }
  return found.map((one) => one.trim()).filter(Boolean);
}

customElements.define("probe-form", ProbeForm);
