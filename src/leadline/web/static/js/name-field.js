// A field that completes names: `<name-field><label>… <input></label></name-field>`. `names` are set by
// whoever knows the scope. With the attribute `template` names are offered within braces only.

const WORD = /[A-Za-z_]\w*$/;
const SHOWN = 8;
let made = 0;

class NameField extends HTMLElement {
  names = [];

  connectedCallback() {
    this.field = this.querySelector("input");
    this.list = this.appendChild(document.createElement("ul"));
    this.list.id = `names-${(made += 1)}`;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "Names in scope");
    this.list.className = "names";
    this.list.hidden = true;
    this.field.setAttribute("role", "combobox");
    this.field.setAttribute("aria-autocomplete", "list");
    this.field.setAttribute("aria-controls", this.list.id);
    this.field.setAttribute("aria-expanded", "false");
    this.field.addEventListener("input", () => this.offer());
    this.field.addEventListener("blur", () => this.show([]));
    this.field.addEventListener("keydown", (event) => this.pressed(event));
    this.list.addEventListener("mousedown", (event) => {
      event.preventDefault(); // the field keeps the focus
      const option = event.target.closest("[role=option]");
      if (option) this.take(option.textContent);
    });
  }

  /** The word before the caret, or null where no name can stand. */
  get word() {
    const before = this.field.value.slice(0, this.field.selectionStart);
    if (this.hasAttribute("template")) {
      const inside = before.replaceAll("{{", "  ").replaceAll("}}", "  ");
      if (inside.lastIndexOf("{") <= inside.lastIndexOf("}")) return null;
    }
    const word = before.match(WORD)?.[0] ?? "";
    if (/[.\d'"]$/.test(before.slice(0, before.length - word.length))) return null;
    return word;
  }

  offer() {
    const word = this.word;
    if (word === null || (!word && !this.field.value.endsWith("{"))) return this.show([]);
    const low = word.toLowerCase();
    const fit = this.names.filter((name) => name.toLowerCase().includes(low) && name !== word);
    fit.sort((a, b) => b.toLowerCase().startsWith(low) - a.toLowerCase().startsWith(low));
    return this.show(fit.slice(0, SHOWN));
  }

  show(names) {
    this.list.replaceChildren(...names.map((name, number) => {
      const option = document.createElement("li");
      option.id = `${this.list.id}-${number}`;
      option.setAttribute("role", "option");
      option.textContent = name;
      return option;
    }));
    this.list.hidden = !names.length;
    this.field.setAttribute("aria-expanded", String(names.length > 0));
    this.choose(-1);
  }

  choose(number) {
    this.at = number;
    [...this.list.children].forEach((option, index) => {
      option.setAttribute("aria-selected", String(index === number));
    });
    const option = this.list.children[number];
    if (option) this.field.setAttribute("aria-activedescendant", option.id);
    else this.field.removeAttribute("aria-activedescendant");
  }

  pressed(event) {
    const count = this.list.children.length;
    if (!count) return;
    if (event.key === "ArrowDown") this.choose((this.at + 1) % count);
    else if (event.key === "ArrowUp") this.choose((this.at + count - (this.at < 0 ? 0 : 1)) % count);
    else if (event.key === "Escape") this.show([]);
    else if (event.key === "Tab" && !event.shiftKey) this.take(this.list.children[Math.max(0, this.at)].textContent);
    else if (event.key === "Enter" && this.at >= 0) this.take(this.list.children[this.at].textContent);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  take(name) {
    const { value, selectionStart: caret } = this.field;
    const begin = caret - this.word.length;
    this.field.setRangeText(name, begin, caret, "end");
    if (this.hasAttribute("template") && value[caret] !== "}") {
      this.field.setRangeText("}", begin + name.length, begin + name.length, "end");
    }
    this.show([]);
    this.field.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

customElements.define("name-field", NameField);
