// A part of a page that takes its time, asked for once: `<load-part src="/parts/...">`. A button
// with `data-does="again"` in it asks once more.
import { askPart } from "./ask.js";
import { morph } from "./morph.js";

class LoadPart extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => {
      if (event.target.closest("[data-does=again]")) this.load();
    });
    this.load();
  }

  async load() {
    this.setAttribute("aria-busy", "true");
    for (const button of this.querySelectorAll("[data-does=again]")) button.disabled = true;
    try {
      this.take(await askPart(this.getAttribute("src")));
    } catch (error) {
      this.fail(error.message);
    }
    this.removeAttribute("aria-busy");
  }

  take(fresh) {
    const read = document.createElement("template");
    read.innerHTML = fresh;
    morph(this, read.content);
  }

  fail(told) {
    const note = document.createElement("p");
    note.setAttribute("role", "status");
    note.append(`${told} `);
    const again = document.createElement("button");
    again.type = "button";
    again.dataset.does = "again";
    again.textContent = "Ask again";
    note.append(again);
    this.replaceChildren(note);
  }
}

customElements.define("load-part", LoadPart);
