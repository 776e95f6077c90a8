// Finds rows of a table by what is typed: `<filter-rows>` around an input and a table. What has
// all of the words in it stays.

class FilterRows extends HTMLElement {
  connectedCallback() {
    this.addEventListener("input", () => this.show());
  }

  show() {
    const words = this.querySelector("input").value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = [...this.querySelectorAll("tbody tr")];
    let left = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      left += row.hidden ? 0 : 1;
    }
    this.querySelector("[data-told]").textContent = `${left} of ${rows.length}`;
    const none = this.querySelector("[data-none]");
    if (none) none.hidden = left > 0;
  }
}

customElements.define("filter-rows", FilterRows);
