// The keys of a page. A view adds its own: `keys.add("p", "Pause the stream", pause)`; `g s` is one
// key after the other. `?` shows all there are. While one types into a field, keys are text.

const known = new Map();
const NEXT_MS = 1_500;
let begun = "";
let beganAt = 0;

export const keys = {
  /** Have `act` called at a key, or at keys one after the other; returns how to take it back. */
  add(sequence, told, act) {
    known.set(sequence, { told, act });
    return () => known.delete(sequence);
  },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  const before = begun && Date.now() - beganAt < NEXT_MS ? `${begun} ` : "";
  const found = known.get(before + event.key) ?? known.get(event.key);
  begun = found ? "" : event.key;
  beganAt = Date.now();
  if (!found) return;
  event.preventDefault();
  found.act(event);
});

function typing(target) {
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.nodeName);
}

/** Show what keys there are. */
export function showSheet() {
  const sheet = document.createElement("dialog");
  sheet.className = "key-sheet";
  sheet.setAttribute("aria-labelledby", "key-sheet-title");
  const title = Object.assign(document.createElement("h2"), { id: "key-sheet-title", textContent: "Keys" });
  const list = document.createElement("dl");
  for (const [sequence, { told }] of known) {
    const term = list.appendChild(document.createElement("dt"));
    for (const key of sequence.split(" ")) {
      term.append(Object.assign(document.createElement("kbd"), { textContent: key }), " ");
    }
    list.append(Object.assign(document.createElement("dd"), { textContent: told }));
  }
  const buttons = document.createElement("form");
  buttons.method = "dialog";
  buttons.append(Object.assign(document.createElement("button"), { textContent: "Close" }));
  sheet.append(title, list, buttons);
  sheet.addEventListener("close", () => sheet.remove());
  document.body.append(sheet);
  sheet.showModal();
}

keys.add("?", "Show these keys", showSheet);
