// Signing out.
import { ask } from "./ask.js";

class SessionMenu extends HTMLElement {
  connectedCallback() {
    this.querySelector("button").addEventListener("click", async () => {
      await ask("/v1/session", { method: "DELETE" });
      location.reload();
    });
  }
}

customElements.define("session-menu", SessionMenu);
