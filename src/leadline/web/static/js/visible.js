// Captured text made safe to look at; the same as `web/visible.py`, which says why.

const UNSEEN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0\u2800]/u;

/** Return captured text as an element of its own, with what is unseen marked. */
export function visible(text) {
  const whole = document.createElement("bdi");
  whole.className = "captured";
  let seen = "";
  for (const one of text) {
    if (!UNSEEN.test(one)) {
      seen += one;
      continue;
    }
    const mark = document.createElement("span");
    mark.className = "unseen";
    mark.textContent = `⟨${code(one)}⟩`;
    mark.title = code(one);
    whole.append(seen, mark);
    seen = "";
  }
  whole.append(seen);
  return whole;
}

function code(one) {
  return `U+${one.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}
