// What every page has. A view adds its own module in the block `modules` of its template.
import "./connection.js";
import "./copy-text.js";
import "./kill-switch.js";
import "./live-part.js";
import "./local-time.js";
import "./session-menu.js";
import "./theme-toggle.js";
import { keys, showSheet } from "./keys.js";

for (const link of document.querySelectorAll("nav a[data-keys]")) {
  keys.add(link.dataset.keys, `Go to ${link.textContent}`, () => location.assign(link.href));
}
for (const button of document.querySelectorAll("[data-opens=key-sheet]")) {
  button.addEventListener("click", showSheet);
}
