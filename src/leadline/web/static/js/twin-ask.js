// The box under a line in which a twin is asked: orders it, and shows what it answers in place.
import { ask, askPart } from "./ask.js";
import { refreshParts } from "./live-part.js";

const WAIT_S = 60;
const LOOK_MS = 250;

class TwinAsk extends HTMLElement {
  /** `place` has `service`, `file`, `line`, `anchor`, `can` and `inside`, as for a new probe. */
  begin(place, template) {
    this.place = place;
    this.append(template.content.cloneNode(true));
    this.form = this.querySelector("form");
    this.fields = this.form.elements;
    this.gone = new AbortController();
    window.addEventListener("pagehide", () => this.forget(), { signal: this.gone.signal });
    this.querySelector("[data-close]").addEventListener("click", () => this.close());
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.send(); });
    this.form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.send();
      event.stopPropagation();
    });
    if (!this.fields.code) return this.querySelector("[data-close]").focus(); // who may not
    const { line, can, inside } = place;
    if (can) this.fields.at.add(new Option(`line ${line}`, "line"));
    if (inside) this.fields.at.add(new Option(`entry of ${inside.name}`, "entry"));
    this.querySelector(".at").hidden = this.fields.at.options.length < 2;
    this.form.addEventListener("input", () => { this.told(""); });
    return this.fields.code.focus();
  }

  disconnectedCallback() {
    this.gone?.abort();
    this.forget();
  }

  body() {
    const { place, fields } = this;
    const entry = fields.at.value === "entry";
    const body = { use: "ask", code: statements(fields.code.value), ttl_s: WAIT_S };
    body.target = entry ? `${place.file}:${place.inside.name}` : `${place.file}:${place.line}`;
    if (!entry && place.anchor) body.anchor = { text: place.anchor };
    if (fields.condition.value.trim()) body.condition = fields.condition.value.trim();
    if (fields.where.value) body.instance = fields.where.value;
    return body;
  }

  async send() {
    if (this.sending || !this.fields.code) return;
    this.sending = true; // a button that is disabled would lose the focus
    this.told("");
    this.answer("");
    try {
      const { service } = this.place;
      const path = `/v1/services/${encodeURIComponent(service)}/twins`;
      const { probe } = await ask(path, { method: "POST", body: this.body() });
      this.waitsFor = probe.id;
      await this.follow(probe.id);
    } catch (error) {
      this.told(error.message);
    }
    this.forget();
    this.sending = false;
  }

  /** Show how it stands until it is answered, or will not be. */
  async follow(id) {
    while (this.isConnected && this.waitsFor === id) {
      const fresh = await askPart(`/parts/twins/${encodeURIComponent(id)}`);
      if (!this.isConnected) return;
      if (fresh !== this.shown) this.answer(fresh);
      const over = this.querySelector(".answer [data-over]")?.dataset.over;
      if (over) {
        if (over === "answered") this.waitsFor = undefined;
        await refreshParts();
        return;
      }
      await new Promise((go) => { setTimeout(go, LOOK_MS); });
    }
  }

  answer(text) {
    this.shown = text;
    const read = document.createElement("template");
    read.innerHTML = text;
    this.querySelector(".answer").replaceChildren(read.content);
  }

  told(text) {
    this.querySelector(".told").textContent = text;
  }

  /** Take an order out that nobody waits for any more; without us it ends in its time. */
  forget() {
    const id = this.waitsFor;
    this.waitsFor = undefined;
    if (id) ask(`/v1/probes/${encodeURIComponent(id)}`, { method: "DELETE" }).catch(() => {});
  }

  close() {
    this.remove();
    this.dispatchEvent(new Event("closed"));
  }
}

/** Lines of code; those that are indented belong to the one before. */
function statements(text) {
  const found = [];
  for (const line of text.replaceAll("\r", "").split("\n")) {
    if (/^\s/.test(line) && found.length) found[found.length - 1] += `\n${line}`;
    else if (line.trim()) found.push(line);
  }
  return found.map((one) => one.trimEnd()).filter(Boolean);
}

customElements.define("twin-ask", TwinAsk);
