// Makes what is shown equal to what came, and touches nothing else: focus, selection, what was
// opened and where one has scrolled to stay. Elements with the same `data-key` are the same one.

/** Attributes that belong to the reader. */
const OWN = new Set(["open", "state"]);

export function morph(old, fresh) {
  const keyed = new Map();
  for (const child of old.children) {
    if (child.dataset.key !== undefined) keyed.set(child.dataset.key, child);
  }
  let place = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const key = wanted.dataset?.key;
    let found = key === undefined ? unkeyed(place, wanted) : keyed.get(key);
    if (found && found.nodeName !== wanted.nodeName) found = undefined;
    if (found && found !== place) old.insertBefore(found, place);
    if (!found) {
      old.insertBefore(document.importNode(wanted, true), place);
      continue;
    }
    keyed.delete(key);
    place = found.nextSibling;
    become(found, wanted);
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

/** Where nothing has a key, the next one of the same kind is meant. */
function unkeyed(place, wanted) {
  for (let one = place; one; one = one.nextSibling) {
    if (one.nodeName === wanted.nodeName && one.dataset?.key === undefined) return one;
    if (wanted.nodeType !== Node.ELEMENT_NODE) return undefined;
  }
  return undefined;
}

function become(old, wanted) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== wanted.nodeValue) old.nodeValue = wanted.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!wanted.hasAttribute(name) && !OWN.has(name)) old.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (old.getAttribute(name) !== value && !OWN.has(name)) old.setAttribute(name, value);
  }
  // an element that makes its own content of its attributes has just been told
  if (!old.constructor.makesItsContent) morph(old, wanted);
}
