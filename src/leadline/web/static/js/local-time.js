// A moment in the reader's own zone: `<local-time form="ago" at="2026-11-28T20:00:00.000Z">`.
// `ago` says how long since, `clock` the time of day, `second` no more exactly than that; all say
// it exactly on hover.

const STEPS = [[60, "s", 1], [3_600, "min", 60], [86_400, "h", 3_600], [Infinity, "d", 86_400]];
const EXACT = new Intl.DateTimeFormat(undefined, {
  dateStyle: "medium", timeStyle: "long",
});
const SECOND = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
const CLOCK = { ...SECOND, fractionalSecondDigits: 3 };
const growing = new Set();

export class LocalTime extends HTMLElement {
  static makesItsContent = true;
  static observedAttributes = ["at", "form"];

  connectedCallback() {
    if (this.getAttribute("form") === "ago") growing.add(this);
    this.show();
  }

  disconnectedCallback() { growing.delete(this); }

  attributeChangedCallback() { if (this.isConnected) this.show(); }

  show() {
    const at = new Date(this.getAttribute("at"));
    const time = this.querySelector("time") ?? this.appendChild(document.createElement("time"));
    const form = this.getAttribute("form");
    const told = form === "ago" ? ago(at) : clock(at, form === "second" ? SECOND : CLOCK);
    if (time.textContent !== told) time.textContent = told;
    if (time.dateTime === this.getAttribute("at") && time.title) return;
    time.dateTime = this.getAttribute("at");
    time.title = `${EXACT.format(at)} (${this.getAttribute("at")})`;
  }
}

function ago(at) {
  const seconds = Math.max(0, (Date.now() - at) / 1000);
  if (seconds < 1) return "now";
  const [, unit, size] = STEPS.find(([below]) => seconds < below);
  return `${Math.floor(seconds / size)} ${unit} ago`;
}

function clock(at, form) {
  const day = at.toDateString() === new Date().toDateString() ? {} : { month: "short", day: "numeric" };
  return at.toLocaleString(undefined, { ...day, ...form });
}

setInterval(() => { if (!document.hidden) for (const one of growing) one.show(); }, 1000);
customElements.define("local-time", LocalTime);
