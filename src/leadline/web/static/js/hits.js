// The list of hits: its filters, its stream, its keys.
import "./hit-stream.js";
import "./time-range.js";
import { keys } from "./keys.js";

const form = document.querySelector("form.filters");
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const said = new URLSearchParams();
  for (const [name, text] of new FormData(form)) if (text.trim()) said.set(name, text.trim());
  if (said.has("last")) for (const name of ["since", "until"]) said.delete(name);
  location.assign(`/hits?${said}`);
});
for (const choice of form.querySelectorAll("select")) {
  choice.addEventListener("change", () => form.requestSubmit());
}

const links = () => [...document.querySelectorAll("table.hits tbody a")];

function step(by) {
  const all = links();
  const now = all.indexOf(document.activeElement);
  const next = all[now < 0 ? 0 : Math.min(Math.max(now + by, 0), all.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

keys.add("j", "Next hit in the list; Enter opens it", () => step(1));
keys.add("k", "Hit before it", () => step(-1));
keys.add("/", "Choose by a text in the message", () => form.elements.text.focus());
keys.add("v", "Choose by a value", () => form.elements.value.focus());
