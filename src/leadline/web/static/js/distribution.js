// What a probe's values look like: shown beside its chip while one points at it or is on it.

const WAIT_MS = 150;

export class Distribution {
  constructor(view) {
    this.view = view;
    const { code } = view;
    code.addEventListener("pointerover", (event) => this.over(event.target.closest?.(".chip, .values"), WAIT_MS));
    code.addEventListener("pointerout", (event) => this.out(event.relatedTarget));
    code.addEventListener("focusin", (event) => this.over(event.target.closest(".chip"), 0));
    code.addEventListener("focusout", (event) => this.out(event.relatedTarget));
    code.addEventListener("keydown", (event) => { if (event.key === "Escape") this.hide(); });
    code.addEventListener("click", (event) => this.over(event.target.closest(".chip"), 0));
  }

  over(target, wait) {
    const chip = target?.closest(".line-probe")?.querySelector(".chip");
    if (!chip) return;
    clearTimeout(this.timer);
    if (this.shown?.dataset.of === chip.dataset.probe) return;
    this.timer = setTimeout(() => this.show(chip), wait);
  }

  out(to) {
    clearTimeout(this.timer);
    if (to && this.shown?.contains(to)) return;
    this.timer = setTimeout(() => this.hide(), WAIT_MS);
  }

  show(chip) {
    this.hide();
    const shown = document.createElement("aside");
    shown.className = "distribution";
    shown.dataset.of = chip.dataset.probe;
    shown.setAttribute("aria-label", `Values of ${chip.dataset.probe}`);
    const part = shown.appendChild(document.createElement("live-part"));
    part.setAttribute("src", `/parts/source/distribution/${encodeURIComponent(chip.dataset.probe)}`);
    part.setAttribute("every", "2");
    part.addEventListener("refreshed", () => place(shown, chip));
    shown.addEventListener("pointerenter", () => clearTimeout(this.timer));
    shown.addEventListener("pointerleave", (event) => this.out(event.relatedTarget));
    this.view.append(shown);
    this.shown = shown;
    place(shown, chip);
    part.refresh();
  }

  hide() {
    clearTimeout(this.timer);
    this.shown?.remove();
    this.shown = undefined;
  }
}

/** Below the chip, or above it where there is no room; never beyond the window. */
function place(shown, chip) {
  if (!chip.isConnected) return;
  const at = chip.getBoundingClientRect();
  const { offsetWidth: wide, offsetHeight: tall } = shown;
  const below = at.bottom + tall + 8 < innerHeight || at.top < tall;
  shown.style.left = `${Math.max(4, Math.min(at.left, innerWidth - wide - 8))}px`;
  shown.style.top = `${below ? at.bottom + 4 : at.top - tall - 4}px`;
}
