// A part of the time to choose: `<time-range>` around the picture of hits over time.
//
// By mouse one drags over it. By keyboard it is a slider: arrows move the end of the part, with
// Shift they make it longer, Home and End go to the ends, Enter chooses, Escape gives up.
const exact = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", month: "short", day: "numeric",
});
const PAGE = 10;

class TimeRange extends HTMLElement {
  connectedCallback() {
    this.live = this.querySelector("live-part");
    this.area = this.appendChild(document.createElement("div"));
    this.area.className = "area";
    this.area.tabIndex = 0;
    this.area.setAttribute("role", "slider");
    this.area.setAttribute("aria-label", "Choose a time: arrows, with Shift more of it, then Enter");
    this.mark = this.area.appendChild(document.createElement("div"));
    this.mark.className = "mark";
    this.label = this.area.appendChild(document.createElement("span"));
    this.label.className = "label";
    this.from = this.to = 0;
    this.begin(this.counts.length - 1);
    this.show(false);
    this.area.addEventListener("pointerdown", (event) => this.down(event));
    this.area.addEventListener("pointermove", (event) => this.move(event));
    this.area.addEventListener("pointerup", () => this.up());
    this.area.addEventListener("pointerleave", () => { if (!this.dragging && !this.focused) this.show(false); });
    this.area.addEventListener("keydown", (event) => this.key(event));
    this.area.addEventListener("focus", () => { if (this.area.matches(":focus-visible")) this.show(true); });
    this.area.addEventListener("blur", () => this.show(false));
    this.live.addEventListener("refreshed", () => { if (!this.area.classList.contains("shown")) this.show(false); });
  }

  get seen() { return this.live.querySelector(".over-time").dataset; }
  get counts() { return this.seen.counts.split(" ").map(Number); }
  get focused() { return document.activeElement === this.area; }
  get first() { return Math.min(this.from, this.to); }
  get last() { return Math.max(this.from, this.to); }

  begin(column) { this.from = this.to = column; }

  column(event) {
    const { left, width } = this.area.getBoundingClientRect();
    const many = this.counts.length;
    return Math.min(Math.max(Math.floor((event.clientX - left) / width * many), 0), many - 1);
  }

  down(event) {
    if (event.button) return;
    this.area.setPointerCapture(event.pointerId);
    // what one drags over must not move
    this.frozen = { ...this.seen };
    this.dragging = true;
    this.begin(this.column(event));
    this.show(true);
  }

  move(event) {
    if (this.dragging) this.to = this.column(event);
    else this.begin(this.column(event));
    this.show(true);
  }

  up() {
    if (!this.dragging) return;
    this.dragging = false;
    this.choose();
  }

  key(event) {
    const many = this.counts.length;
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -PAGE, PageUp: PAGE, Home: -many, End: many }[event.key];
    if (by !== undefined) {
      this.to = Math.min(Math.max(this.to + by, 0), many - 1);
      if (!event.shiftKey) this.from = this.to;
      this.show(true);
    } else if (event.key === "Enter") this.choose();
    else if (event.key === "Escape") this.area.blur();
    else return;
    event.preventDefault();
  }

  times() {
    const { since, seconds } = this.frozen ?? this.seen;
    const at = (column) => Number(since) + column * Number(seconds);
    return [at(this.first), at(this.last + 1)];
  }

  choose() {
    const [since, until] = this.times();
    const address = new URL(location);
    for (const name of ["last", "before"]) address.searchParams.delete(name);
    // to the outside, so that what stands at an edge is in it
    address.searchParams.set("since", (Math.floor(since * 1e4) / 1e4).toFixed(4));
    address.searchParams.set("until", (Math.ceil(until * 1e4) / 1e4).toFixed(4));
    location.assign(address);
  }

  show(shown) {
    const counts = this.counts;
    const [since, until] = this.times().map((at) => exact.format(new Date(at * 1000)));
    const hits = counts.slice(this.first, this.last + 1).reduce((sum, one) => sum + one, 0);
    this.area.classList.toggle("shown", shown);
    // the policy refuses the attribute `style`, not properties that a module sets
    this.mark.style.left = `${this.first / counts.length * 100}%`;
    this.mark.style.width = `${(this.last + 1 - this.first) / counts.length * 100}%`;
    this.label.textContent = `${since} – ${until}: ${hits} ${hits === 1 ? "hit" : "hits"}`;
    const set = (name, value) => this.area.setAttribute(`aria-${name}`, value);
    set("valuemin", 0);
    set("valuemax", counts.length - 1);
    set("valuenow", this.to);
    set("valuetext", this.label.textContent);
  }
}

customElements.define("time-range", TimeRange);
