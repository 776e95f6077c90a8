// On a page that was refused: once this browser is signed in, goes on to where one wanted to go.
//
// A link from another site comes without our cookie (SameSite=Strict) although one is signed in;
// a question from our own page carries it.

const EVERY_MS = 2_000;

async function knock() {
  if (document.hidden) return;
  const answer = await fetch("/parts/switches", { cache: "no-store" }).catch(() => null);
  if (answer?.ok) location.replace(location.href);
}

knock();
setInterval(knock, EVERY_MS);
document.addEventListener("visibilitychange", knock);
