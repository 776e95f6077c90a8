// One verdict: its calls by keyboard.
import { keys } from "./keys.js";

const cases = () => [...document.querySelectorAll("details.case")];

function step(by) {
  const all = cases();
  const now = all.findIndex((one) => one.firstElementChild === document.activeElement);
  const next = all[now < 0 ? 0 : Math.min(Math.max(now + by, 0), all.length - 1)];
  next?.firstElementChild.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function turnAll() {
  const open = cases().some((one) => !one.open);
  for (const one of cases()) one.open = open;
}

keys.add("j", "Next call; Enter opens or closes it", () => step(1));
keys.add("k", "Call before it", () => step(-1));
keys.add("o", "Open all calls, or close them", turnAll);
keys.add("u", "Back to the list", () => location.assign("/verdicts"));
