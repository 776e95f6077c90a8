// Where to go, by a few letters: a field whose list the server fills with what the process has.
import { askPart } from "./ask.js";
import { keys } from "./keys.js";

const STILL_MS = 60;

class SourceJump extends HTMLElement {
  connectedCallback() {
    this.field = this.querySelector("input");
    this.list = this.querySelector("[role=listbox]");
    this.forget = keys.add("/", "Jump to a function, class, module or file", () => this.field.select());
    this.field.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.look(), STILL_MS);
    });
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "/" && !this.field.value) event.preventDefault(); // it is here already
      else this.pressed(event);
    });
    this.addEventListener("focusout", (event) => {
      if (!this.contains(event.relatedTarget)) this.show(false);
    });
    this.list.addEventListener("click", () => this.show(false));
  }

  disconnectedCallback() {
    this.forget();
    clearTimeout(this.timer);
  }

  async look() {
    const typed = this.field.value.trim();
    this.asked = typed;
    if (!typed) return this.show(false);
    const query = new URLSearchParams({ typed });
    if (this.getAttribute("instance")) query.set("instance", this.getAttribute("instance"));
    const read = document.createElement("template");
    try {
      const fresh = await askPart(`${this.getAttribute("src")}?${query}`);
      read.innerHTML = fresh;
    } catch (error) {
      const told = read.content.appendChild(document.createElement("p"));
      told.className = "muted";
      told.textContent = error.slug ? error.message : "The server does not answer.";
    }
    if (typed !== this.asked) return undefined;
    this.list.replaceChildren(read.content);
    this.choose(this.options[0]);
    return this.show(true);
  }

  get options() { return [...this.list.querySelectorAll("[role=option]")]; }

  get chosen() { return this.list.querySelector("[aria-selected=true]"); }

  choose(option) {
    this.chosen?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.field.setAttribute("aria-activedescendant", option.id);
    else this.field.removeAttribute("aria-activedescendant");
  }

  show(open) {
    this.list.hidden = !open;
    this.field.setAttribute("aria-expanded", String(open));
    if (!open) this.field.removeAttribute("aria-activedescendant");
  }

  async pressed(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !this.list.hidden) {
      event.preventDefault();
      const all = this.options;
      const at = all.indexOf(this.chosen);
      this.choose(all[(at + step + all.length) % all.length]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      clearTimeout(this.timer);
      if (this.asked !== this.field.value.trim() || this.list.hidden) await this.look();
      this.chosen?.click();
      this.field.blur();
    } else if (event.key === "Escape") {
      if (this.list.hidden) this.field.blur();
      this.show(false);
    }
  }
}

customElements.define("source-jump", SourceJump);
