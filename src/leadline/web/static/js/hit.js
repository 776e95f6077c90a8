// One hit: choosing a call, its code, searching in values, copying, keys.
import { ask, askPart } from "./ask.js";
import { keys } from "./keys.js";
import { morph } from "./morph.js";
import { visible } from "./visible.js";

const AGAIN_MS = 3_000;
const number = new Intl.NumberFormat("en");

class HitView extends HTMLElement {
  connectedCallback() {
    this.calls = [...this.querySelectorAll(".stack a[data-call]")];
    this.code = this.querySelector("hit-code");
    this.search = this.querySelector("input[type=search]");
    this.found = this.querySelector(".found");
    this.open = new Map();
    this.search.addEventListener("input", () => this.look());
    this.search.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.search.value = "";
      this.look();
      this.search.blur();
    });
    this.querySelector(".stack").addEventListener("click", (event) => {
      const link = event.target.closest("a[data-call]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      history.pushState(null, "", link.href);
      this.choose(Number(link.dataset.call));
    });
    addEventListener("popstate", () => this.choose(Number(new URLSearchParams(location.search).get("call") ?? 0)));
    this.choose(Number(this.getAttribute("call")));
  }

  get now() { return this.calls.findIndex((one) => one.ariaCurrent); }

  step(by) {
    const next = this.calls[Math.min(Math.max(this.now + by, 0), this.calls.length - 1)];
    next.click();
    next.focus();
  }

  choose(call) {
    for (const link of this.calls) {
      if (Number(link.dataset.call) === call) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    for (const group of this.querySelectorAll(".right section[data-call]")) {
      group.hidden = Number(group.dataset.call) !== call;
    }
    const { file, short, read } = this.calls[call].dataset;
    const link = this.querySelector(".file");
    link.replaceChildren(visible(short));
    link.title = file;
    if (read) link.href = read;
    else link.removeAttribute("href");
    this.look();
    this.fetch(call);
  }

  async fetch(call) {
    clearTimeout(this.again);
    const asked = (this.asked = (this.asked ?? 0) + 1);
    this.code.toggleAttribute("waiting", true);
    try {
      const fresh = await askPart(`/parts/hits/${this.getAttribute("hit")}/code?call=${call}`);
      if (asked !== this.asked) return;
      const read = document.createElement("template");
      read.innerHTML = fresh;
      morph(this.code, read.content);
      this.code.removeAttribute("waiting");
      this.bring();
    } catch {
      // the header says why; the code is asked for until it is here
      if (asked === this.asked) this.again = setTimeout(() => this.fetch(call), AGAIN_MS);
    }
  }

  /** Have the line that was hit in sight, without moving the page. */
  bring() {
    const line = this.code.querySelector(".here");
    const around = this.code.parentElement;
    if (line) around.scrollTop = line.offsetTop - around.offsetTop - around.clientHeight / 2;
  }

  /** Show only names and values with the text in them, and what they lie in. */
  look() {
    const text = this.search.value.trim().toLowerCase();
    let many = 0;
    for (const one of this.querySelectorAll(".right li")) {
      const told = one.firstElementChild.matches("details") ? one.querySelector("summary") : one.firstElementChild;
      const hit = text !== "" && told.textContent.toLowerCase().includes(text);
      told.classList.toggle("hit-found", hit);
      one.hidden = text !== "" && !hit && !one.textContent.toLowerCase().includes(text);
      many += hit && !one.closest("section[hidden]") ? 1 : 0;
    }
    for (const one of this.querySelectorAll(".right details")) {
      if (text === "") {
        if (this.open.has(one)) one.open = this.open.get(one);
      } else {
        if (!this.open.has(one)) this.open.set(one, one.open);
        one.open = [...one.querySelectorAll("li")].some((part) => !part.hidden);
      }
    }
    if (text === "") this.open.clear();
    this.found.textContent = text === "" ? "" : many ? `${number.format(many)} found` : "Nothing like it in this call";
  }
}

class CopyHit extends HTMLElement {
  connectedCallback() {
    this.button = this.querySelector("button");
    this.button.hidden = !navigator.clipboard;
    this.button.addEventListener("click", () => this.copy());
  }

  async copy() {
    const hit = Number(this.getAttribute("hit"));
    try {
      const { hits } = await ask(`/v1/hits?after=${hit - 1}&limit=1`);
      const found = hits.find((one) => one.id === hit);
      await navigator.clipboard.writeText(JSON.stringify(found, null, 1));
      this.tell("Copied");
    } catch {
      this.tell("Not copied");
    }
  }

  tell(text) {
    this.button.textContent = text;
    setTimeout(() => { this.button.textContent = "Copy as JSON"; }, 2_000);
  }
}

customElements.define("hit-view", HitView);
customElements.define("copy-hit", CopyHit);

const view = document.querySelector("hit-view");
const follow = (rel) => () => document.querySelector(`a[rel=${rel}]`)?.click();
keys.add("j", "Call further out", () => view.step(1));
keys.add("k", "Call further in", () => view.step(-1));
keys.add("n", "The probe's hit after this", follow("next"));
keys.add("p", "The probe's hit before this", follow("prev"));
keys.add("/", "Search names and values", () => view.search.focus());
keys.add("c", "Copy the hit as JSON", () => document.querySelector("copy-hit").copy());
keys.add("u", "Up to all hits of this probe", () => location.assign(document.querySelector(".hit-head dd a").href));
