// Taking probes out, after a question: `<remove-probes probe="p3"><button>`, or `service="shop"`.
import { ask } from "./ask.js";
import { refreshParts } from "./live-part.js";

class RemoveProbes extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", this.pressed);
  }

  disconnectedCallback() {
    this.removeEventListener("click", this.pressed);
  }

  pressed(event) {
    if (!event.target.closest("button")) return;
    const probe = this.getAttribute("probe");
    const service = this.getAttribute("service");
    if (probe) confirmRemoval(`Remove ${probe}?`, `/v1/probes/${encodeURIComponent(probe)}`);
    else confirmRemoval(`Remove all probes of ${service}?`, `/v1/services/${encodeURIComponent(service)}/probes`);
  }
}

function confirmRemoval(question, path) {
  const dialog = document.createElement("dialog");
  dialog.innerHTML = `
    <form method="dialog">
      <h2 id="remove-probes-title"></h2>
      <p>It is taken out of the running processes and does not come back. What was stored stays.</p>
      <p class="told" role="alert"></p>
      <div class="buttons">
        <button type="button" class="quiet">Cancel</button>
        <button class="danger">Remove</button>
      </div>
    </form>`;
  const title = dialog.querySelector("h2");
  const go = dialog.querySelector(".danger");
  title.textContent = question;
  dialog.setAttribute("aria-labelledby", title.id);
  dialog.querySelector(".quiet").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  dialog.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    go.disabled = true;
    try {
      await ask(path, { method: "DELETE" });
      dialog.close();
      await refreshParts();
    } catch (error) {
      dialog.querySelector(".told").textContent = error.message;
      go.disabled = false;
    }
  });
  document.body.append(dialog);
  dialog.showModal();
}

customElements.define("remove-probes", RemoveProbes);
