// A part of a page that is asked for again and again: `<live-part src="/parts/..." every="2">`.
//
// Its life: it asks while it is in the document and the page is visible, one question at a time;
// after a failure it waits longer, up to PAUSE_S; when nobody is signed in it tries as rarely.
import { askPart } from "./ask.js";
import { morph } from "./morph.js";

const PAUSE_S = 10;

class LivePart extends HTMLElement {
  connectedCallback() {
    this.failures = 0;
    this.over = new AbortController();
    document.addEventListener("visibilitychange", () => this.wait(0), { signal: this.over.signal });
    this.wait(this.every);
  }

  disconnectedCallback() {
    this.over.abort();
    clearTimeout(this.timer);
  }

  get every() { return Number(this.getAttribute("every")); }

  /** Ask at once: after something was changed here. */
  async refresh() {
    clearTimeout(this.timer);
    const asked = (this.asked = (this.asked ?? 0) + 1);
    try {
      const fresh = await askPart(this.getAttribute("src"));
      if (asked !== this.asked || !this.isConnected) return;
      this.take(fresh);
      this.failures = 0;
      this.removeAttribute("state");
    } catch {
      this.failures += 1;
      this.setAttribute("state", "stale");
    }
    if (asked === this.asked) this.wait(Math.min(this.every * 2 ** this.failures, PAUSE_S));
  }

  take(fresh) {
    const read = document.createElement("template");
    read.innerHTML = fresh;
    morph(this, read.content);
    this.dispatchEvent(new Event("refreshed", { bubbles: true }));
  }

  wait(seconds) {
    clearTimeout(this.timer);
    if (this.over.signal.aborted || document.hidden) return;
    this.timer = setTimeout(() => this.refresh(), seconds * 1000);
  }
}

customElements.define("live-part", LivePart);

/** Have every part of the page asked for at once. */
export function refreshParts() {
  return Promise.all([...document.querySelectorAll("live-part")].map((part) => part.refresh()));
}
