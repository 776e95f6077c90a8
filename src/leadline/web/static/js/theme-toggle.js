// Light or dark, where it is to differ from what the system says. Kept in this browser.

const dark = matchMedia("(prefers-color-scheme: dark)");

class ThemeToggle extends HTMLElement {
  connectedCallback() {
    this.button = this.appendChild(document.createElement("button"));
    this.button.type = "button";
    this.button.className = "quiet";
    this.button.addEventListener("click", () => {
      const next = this.now === "dark" ? "light" : "dark";
      document.documentElement.dataset.theme = next;
      localStorage.setItem("leadline-theme", next);
      this.show();
    });
    dark.addEventListener("change", () => this.show());
    this.show();
  }

  get now() { return document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light"); }

  show() {
    const next = this.now === "dark" ? "light" : "dark";
    this.button.textContent = next === "dark" ? "Dark" : "Light";
    this.button.title = `Show the page in ${next}`;
  }
}

customElements.define("theme-toggle", ThemeToggle);
