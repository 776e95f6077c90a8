// Hits that arrive, put before those that are there: `<hit-stream filters="{...}">` around a table.
//
// It paints a few times a second, at most so many rows at a time, and keeps so many rows in all;
// every hit that is not shown for that is counted, so the list never looks complete when it is not.
import { follow } from "./stream.js";
import { keys } from "./keys.js";
import { visible } from "./visible.js";

const ROWS = 500;
const ROWS_AT_ONCE = 60;
const PAINT_MS = 250;
const BEHIND = 6;
const BRIEF_CHARS = 24;
const WORDS = new Map([[true, "True"], [false, "False"], [null, "None"]]);
const number = new Intl.NumberFormat("en");

class HitStream extends HTMLElement {
  connectedCallback() {
    this.rows = this.querySelector("tbody");
    this.blank = this.querySelector("template").content.querySelector("tr");
    this.processes = JSON.parse(this.getAttribute("processes"));
    this.told = this.querySelector("[role=status]");
    this.waiting = [];
    this.arrived = 0;
    this.skipped = 0;
    this.state = "";
    this.rows.addEventListener("click", (event) => {
      if (event.target.closest("a, button") || getSelection().toString()) return;
      event.target.closest("tr")?.querySelector("a").click();
    });
    if (this.hasAttribute("over")) return;
    this.button = this.querySelector("[data-does=pause]");
    this.button.addEventListener("click", () => this.toggle());
    this.forget = keys.add("p", "Pause, and go on", () => this.toggle());
    this.stream = follow({
      filters: JSON.parse(this.getAttribute("filters")),
      take: (came) => this.take(came),
      say: (state, why) => this.say(state, why),
    });
  }

  disconnectedCallback() {
    this.forget?.();
    this.stream?.close();
    clearTimeout(this.painting);
  }

  toggle() {
    const paused = !this.stream.paused;
    if (paused) this.stream.pause();
    else this.stream.go();
    // what has come is shown now; what is still on its way waits with the others
    clearTimeout(this.painting);
    this.paint();
    this.button.textContent = paused ? "Go on" : "Pause";
    this.button.setAttribute("aria-pressed", String(paused));
    this.toggleAttribute("paused", paused);
  }

  say(state, why) {
    this.state = state;
    this.why = why;
    this.tell();
  }

  take({ hits, lost }) {
    this.arrived += hits.length + lost;
    this.skipped += lost;
    this.waiting.push(...hits);
    const many = this.waiting.length - ROWS_AT_ONCE;
    if (many > 0) {
      this.waiting.splice(0, many);
      this.skipped += many;
    }
    if (!this.stream.paused) this.painting ??= setTimeout(() => this.paint(), PAINT_MS);
  }

  paint() {
    this.painting = undefined;
    const fresh = document.createDocumentFragment();
    for (const hit of this.waiting.reverse()) fresh.append(this.row(hit));
    this.waiting = [];
    this.rows.prepend(fresh);
    while (this.rows.rows.length > ROWS) {
      const last = this.rows.lastElementChild;
      if (last.contains(document.activeElement)) break;
      last.remove();
      this.fell = true;
    }
    this.querySelector(".none").hidden = this.rows.rows.length > 0;
    this.tell();
  }

  row(hit) {
    const row = this.blank.cloneNode(true);
    const [when, from, place, message] = row.cells;
    row.dataset.key = hit.id;
    when.firstElementChild.setAttribute("at", new Date(hit.time * 1000).toISOString());
    const source = from.firstElementChild;
    source.title = `instance ${hit.instance}`;
    source.prepend(hit.service, " ");
    source.lastElementChild.textContent = this.processes[hit.instance] ?? hit.instance.slice(0, 8);
    place.title = visible(`${hit.file}:${hit.line} in ${hit.function}`).textContent;
    place.append(visible(`${hit.file.split("/").slice(-2).join("/")}:${hit.line}`));
    const link = message.firstElementChild;
    link.href = `/hits/${hit.id}`;
    link.append(visible(hit.message));
    const variables = hit.detail ? behind(hit) : "";
    if (variables) {
      const told = message.appendChild(document.createElement("span"));
      told.className = "behind";
      told.before(" ");
      told.append(visible(variables));
    }
    const kind = tag(hit);
    if (kind) message.prepend(Object.assign(document.createElement("span"), { className: "tag", textContent: kind }), " ");
    return row;
  }

  tell() {
    const shown = { refused: `Not live: ${this.why}`, paused: "Paused.", reconnecting: "Reconnecting." }[this.state] ?? "Live.";
    const came = this.arrived ? ` ${number.format(this.arrived)} came since you look.` : "";
    const not = this.skipped ? ` ${number.format(this.skipped)} more not shown.` : "";
    const older = this.fell ? ` The newest ${ROWS} are here.` : "";
    const text = shown + came + not + older;
    if (this.told.textContent !== text) this.told.textContent = text;
    this.told.dataset.state = this.state;
  }
}

/** What a hit is, if it is not a line of a log; the same as in `web/hits.py`. */
function tag(hit) {
  if (hit.twin) return hit.twin.use;
  if (hit.call) return "capture";
  if (!hit.detail) return "";
  return hit.detail.exception === null ? "snapshot" : "exception";
}

/** The first variables of a snapshot without watches; the same as in `web/hits.py`. */
function behind(hit) {
  if (Object.keys(hit.values).length || !hit.detail.frames.length) return "";
  const named = Object.entries(hit.detail.frames[0].locals ?? {});
  const more = named.length > BEHIND ? "  …" : "";
  return named.slice(0, BEHIND).map(([name, value]) => `${name}=${brief(value)}`).join("  ") + more;
}

function brief(value) {
  if (value !== null && typeof value === "object") {
    if (value.omitted === "redacted") return "<redacted>";
    if (value.text === undefined || value.form) return `${value.type ?? "?"}(…)`;
    return value.text.length > BRIEF_CHARS ? `${value.text.slice(0, BRIEF_CHARS)}…` : value.text;
  }
  if (typeof value !== "string") return WORDS.get(value) ?? String(value);
  return value.length > BRIEF_CHARS ? `'${value.slice(0, BRIEF_CHARS)}…'` : `'${value}'`;
}

customElements.define("hit-stream", HitStream);
