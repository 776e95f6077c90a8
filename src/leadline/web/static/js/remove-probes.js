// Removing probes, after a question: `<remove-probes path="/v1/probes/p1" what="p1" told="...">`.
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
    confirmRemoval(this.getAttribute("path"), this.getAttribute("what"), this.getAttribute("told"));
  }
}

function confirmRemoval(path, what, told) {
  const dialog = document.createElement("dialog");
  dialog.innerHTML = `
    <form method="dialog">
      <h2 id="remove-probes-title"></h2>
      <p></p>
      <p class="told" role="alert"></p>
      <div class="buttons">
        <button type="button" class="quiet">Cancel</button>
        <button class="go danger">Remove</button>
      </div>
    </form>`;
  dialog.querySelector("h2").textContent = `Remove ${what}?`;
  dialog.querySelector("p").textContent = told;
  dialog.setAttribute("aria-labelledby", "remove-probes-title");
  dialog.querySelector(".quiet").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  const go = dialog.querySelector(".go");
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
