// A command that can be taken along: `<copy-text><code>leadline open</code></copy-text>`.

class CopyText extends HTMLElement {
  static makesItsContent = true;

  connectedCallback() {
    if (!navigator.clipboard || this.querySelector("button")) return;
    const button = this.appendChild(document.createElement("button"));
    button.type = "button";
    button.className = "quiet";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy: ${this.querySelector("code").textContent}`);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(this.querySelector("code").textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2_000);
    });
  }
}

customElements.define("copy-text", CopyText);
