// Hits as they arrive: server-sent events, taken a picture at a time and never faster than shown.
//
// Its life: it reads while the page is visible and it was not paused; a hidden page holds no
// connection, of which a browser has few. It goes on after the last hit it saw, whatever the
// reason for the gap; what could not be kept meanwhile comes as a count. After a failure it asks
// who is signed in, so that the header says why, and waits longer each time, up to PAUSE_MS.
import { ask } from "./ask.js";
import { connection } from "./connection.js";

const PAUSE_MS = 10_000;
const FIRST_PAUSE_MS = 500;
/** Hits that wait for the next picture: as many as the server keeps for one reader. */
const MOST_WAITING = 1_000;

/**
 * Follow hits. `filters` are those of `GET /v1/hits/stream`; empty ones are left out.
 * `take({ hits, points, lost })` is called at most once for each picture that the browser paints,
 * with what came since; `lost` counts the hits before them that are not there. `say(state, why)`
 * is told "live", "paused", "reconnecting" or "refused". Give `close` a call at the end.
 */
export function follow({ filters = {}, take, say = () => {} }) {
  return new Following(filters, take, say);
}

class Following {
  constructor(filters, take, say) {
    this.query = new URLSearchParams();
    for (const [name, value] of Object.entries(filters)) {
      if (value !== undefined && value !== null && value !== "") this.query.set(name, value);
    }
    this.take = take;
    this.say = say;
    this.paused = false;
    this.failures = 0;
    this.over = new AbortController();
    this.forget();
    const { signal } = this.over;
    document.addEventListener("visibilitychange", () => this.look(), { signal });
    addEventListener("pagehide", () => this.stop(), { signal });
    addEventListener("pageshow", () => this.look(), { signal });
    this.look();
  }

  /** Stop reading; what has come is kept for `go`. */
  pause() {
    this.paused = true;
    this.look();
    this.say("paused", "");
  }

  /** Read on after the last hit that was seen. */
  go() {
    this.paused = false;
    this.failures = 0;
    this.look();
  }

  close() {
    this.over.abort();
    this.stop();
  }

  look() {
    if (this.paused || document.hidden || this.over.signal.aborted) this.stop();
    else if (!this.source && !this.timer) this.open();
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.source?.close();
    this.source = undefined;
  }

  open() {
    this.timer = undefined;
    const source = (this.source = new EventSource(`/v1/hits/stream?${this.query}`));
    source.addEventListener("open", () => {
      this.failures = 0;
      connection.live();
      this.say("live", "");
    });
    source.addEventListener("hit", ({ data, lastEventId }) => {
      this.query.set("after", lastEventId);
      this.hits.push(data);
      if (this.hits.length > 2 * MOST_WAITING) this.drop();
      this.soon();
    });
    source.addEventListener("lost", ({ data }) => {
      this.lost += JSON.parse(data).count;
      this.soon();
    });
    source.addEventListener("point", ({ data }) => {
      this.points.push(data);
      if (this.points.length > 2 * MOST_WAITING) this.points = this.points.slice(-MOST_WAITING);
      this.soon();
    });
    source.addEventListener("error", () => {
      if (source === this.source) this.failed(source.readyState === EventSource.CLOSED);
    });
  }

  soon() {
    this.picture ??= requestAnimationFrame(() => {
      this.drop();
      const { hits, points, lost } = this;
      this.forget();
      if (!this.over.signal.aborted) this.take({ hits: hits.map(JSON.parse), points: points.map(JSON.parse), lost });
    });
  }

  forget() {
    this.picture = undefined;
    this.hits = [];
    this.points = [];
    this.lost = 0;
  }

  /** Keep the newest of what waits: nobody could look at more, and nothing is parsed for it. */
  drop() {
    const many = this.hits.length - MOST_WAITING;
    if (many <= 0) return;
    this.hits.splice(0, many);
    this.lost += many;
  }

  async failed(refused) {
    this.stop();
    const wait = Math.min(FIRST_PAUSE_MS * 2 ** this.failures, PAUSE_MS);
    this.failures += 1;
    this.timer = setTimeout(() => { this.timer = undefined; this.look(); }, wait);
    connection.lost();
    this.say("reconnecting", "");
    try {
      await ask("/v1/session");
      if (refused) this.say("refused", await this.why());
    } catch {
      // the header says it: no answer, or nobody signed in
    }
  }

  /** An event source does not tell what it was refused with; a question does. */
  async why() {
    const asking = new AbortController();
    const answer = await fetch(`/v1/hits/stream?${this.query}`, { cache: "no-store", signal: asking.signal });
    const told = answer.ok ? "" : (await answer.json()).error.message;
    asking.abort();
    return told;
  }
}
