// The list of verdicts: its filters, its keys.
import { keys } from "./keys.js";

const form = document.querySelector("form.filters");
for (const choice of form.querySelectorAll("select")) {
  choice.addEventListener("change", () => form.requestSubmit());
}

function step(by) {
  const all = [...document.querySelectorAll("table.verdicts tbody a.verdict")];
  const now = all.indexOf(document.activeElement);
  const next = all[now < 0 ? 0 : Math.min(Math.max(now + by, 0), all.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

keys.add("j", "Next verdict in the list; Enter opens it", () => step(1));
keys.add("k", "Verdict before it", () => step(-1));
