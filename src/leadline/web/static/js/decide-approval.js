// Approving or refusing an order: `<decide-approval approval="7f" digest="...">` with a button each.
import { ask } from "./ask.js";
import { refreshParts } from "./live-part.js";

class DecideApproval extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", this.pressed);
  }

  disconnectedCallback() {
    this.removeEventListener("click", this.pressed);
  }

  async pressed(event) {
    const button = event.target.closest("button[data-does]");
    if (!button) return;
    const buttons = [...this.querySelectorAll("button")];
    for (const one of buttons) one.disabled = true;
    try {
      const path = `/v1/approvals/${encodeURIComponent(this.getAttribute("approval"))}/${button.dataset.does}`;
      await ask(path, { method: "POST", body: { digest: this.getAttribute("digest") } });
    } catch (error) {
      this.querySelector(".told").textContent = error.message;
      for (const one of buttons) one.disabled = false;
      return;
    }
    await refreshParts();
  }
}

customElements.define("decide-approval", DecideApproval);
