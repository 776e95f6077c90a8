// The one way in which a page asks the server: with the token for writes, and telling the
// connection how it went.
import { connection } from "./connection.js";

const PATIENCE_MS = 10_000;

/** An answer that says why not; `slug` names the page under docs/errors. */
export class Refused extends Error {
  constructor(status, { slug = "", message = "", hint = "" } = {}) {
    super(hint ? `${message} ${hint}` : message || `The server answered ${status}.`);
    this.status = status;
    this.slug = slug;
  }
}

/** Ask for JSON. Throws `Refused`, or another error when there is no answer. */
export async function ask(path, { method = "GET", body } = {}) {
  try {
    return await askOnce(path, method, body);
  } catch (error) {
    if (error.slug !== "no-write-token") throw error;
    // signed in again in another tab since this page was loaded
    writeToken().content = (await askOnce("/v1/session", "GET")).write_token;
    return askOnce(path, method, body);
  }
}

async function askOnce(path, method, body) {
  const headers = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (method !== "GET") headers["leadline-write"] = writeToken().content;
  const content = body === undefined ? undefined : JSON.stringify(body);
  const keepalive = method === "DELETE"; // also what is asked while the page goes
  const text = await (await answer(path, { method, headers, body: content, keepalive })).text();
  return text ? JSON.parse(text) : null;
}

function writeToken() {
  return document.querySelector("meta[name=leadline-write]");
}

/** Ask for a part of a page, as HTML. */
export async function askPart(path) {
  return (await answer(path, { headers: { accept: "text/html" } })).text();
}

async function answer(path, asked) {
  let found;
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    found = await fetch(path, { ...asked, credentials: "same-origin", cache: "no-store", signal });
  } catch (error) {
    connection.lost();
    throw error;
  }
  if (found.status === 401) connection.signedOut();
  else connection.live();
  if (found.ok) return found;
  const told = await found.json().catch(() => ({}));
  throw new Refused(found.status, told.error);
}
