// Whether what is shown is live: said by whoever asks or listens, shown in the header.

const states = new EventTarget();
let state = "live"; // the page itself came a moment ago

function become(next) {
  if (state === next) return;
  state = next;
  states.dispatchEvent(new Event("change"));
}

/** A stream or a question reports here; a view may listen for "change" on `connection.states`. */
export const connection = {
  states,
  get state() { return state; },
  live: () => become("live"),
  lost: () => become("reconnecting"),
  signedOut: () => become("signed out"),
};

class ConnectionState extends HTMLElement {
  connectedCallback() {
    this.show = () => {
      if (this.getAttribute("state") === state) return;
      this.setAttribute("state", state);
      this.textContent = state;
      this.title = {
        live: "What you see is what is there now.",
        reconnecting: "The server does not answer. What you see is from before; it is tried again.",
        "signed out": "Run `leadline open` to sign in again.",
      }[state] ?? "";
    };
    states.addEventListener("change", this.show);
    this.show();
  }

  disconnectedCallback() {
    states.removeEventListener("change", this.show);
  }
}

customElements.define("connection-state", ConnectionState);
