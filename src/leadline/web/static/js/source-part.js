// What a running process has to be asked for: says that it waits, why there is nothing, and asks
// again by itself when the process may have come back.
import { askPart } from "./ask.js";

const AGAIN_MS = 2_000;
/** With these it makes sense to ask again. */
const PASSING = new Set(["instance-gone", "no-answer", "too-many-questions", "stopping"]);

class SourcePart extends HTMLElement {
  connectedCallback() { this.ask(); }

  disconnectedCallback() { clearTimeout(this.timer); }

  async ask() {
    const read = document.createElement("template");
    try {
      const fresh = await askPart(this.getAttribute("src"));
      read.innerHTML = fresh;
    } catch (error) {
      if (!this.isConnected) return;
      this.tell(error);
      if (error.slug === undefined || PASSING.has(error.slug)) {
        this.timer = setTimeout(() => this.ask(), AGAIN_MS);
      }
      return;
    }
    this.replaceChildren(read.content);
  }

  tell(error) {
    const told = this.querySelector("[data-told]");
    const known = error.slug !== undefined;
    told.textContent = known ? error.message : "The server does not answer. It is asked again.";
    told.className = known ? "note" : "muted";
  }
}

customElements.define("source-part", SourcePart);
