// The kill switch: `<kill-switch to="off" service="shop"><button>`; an empty service is everything.
import { ask } from "./ask.js";
import { refreshParts } from "./live-part.js";

class KillSwitch extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", this.pressed);
  }

  disconnectedCallback() {
    this.removeEventListener("click", this.pressed);
  }

  pressed(event) {
    if (!event.target.closest("button")) return;
    confirmSwitch(this.getAttribute("to"), this.getAttribute("service"));
  }
}

function confirmSwitch(to, service) {
  const what = service || "everything";
  const dialog = document.createElement("dialog");
  dialog.innerHTML = `
    <form method="dialog">
      <h2 id="kill-switch-title"></h2>
      <p></p>
      <label hidden>Why? It is shown to all who ask.<br><input name="reason" maxlength="300" size="40"></label>
      <p class="told" role="alert"></p>
      <div class="buttons">
        <button type="button" class="quiet">Cancel</button>
        <button class="go"></button>
      </div>
    </form>`;
  const [title, text] = dialog.querySelectorAll("h2, p");
  const go = dialog.querySelector(".go");
  title.textContent = `Switch ${what} ${to}?`;
  go.textContent = `Switch ${to}`;
  if (to === "off") {
    text.textContent = "Every probe is taken out of the running processes, and none is let in until it is on again.";
    dialog.querySelector("label").hidden = false;
    go.classList.add("danger");
  } else {
    text.textContent = "Probes that are not over are armed again.";
  }
  dialog.setAttribute("aria-labelledby", title.id);
  dialog.querySelector(".quiet").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  dialog.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    go.disabled = true;
    try {
      const path = service ? `/v1/services/${encodeURIComponent(service)}/${to}` : `/v1/${to}`;
      const reason = event.target.elements.reason.value;
      await ask(path, { method: "POST", body: to === "off" ? { reason } : undefined });
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

customElements.define("kill-switch", KillSwitch);
