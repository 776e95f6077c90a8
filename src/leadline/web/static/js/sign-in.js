// Uses the code of a link up. It stands behind `#`, so it was sent to nobody until now, and it is
// taken out of the address before anything else.

class SignIn extends HTMLElement {
  async connectedCallback() {
    const code = location.hash.slice(1);
    history.replaceState(null, "", location.pathname);
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ code });
    try {
      const answer = await fetch("/v1/session", { method: "POST", headers, body });
      if (answer.ok) location.replace("/");
      else this.tell((await answer.json()).error.message);
    } catch {
      this.tell("The server does not answer.");
    }
  }

  tell(why) {
    this.querySelector("[data-state=waiting]").hidden = true;
    this.querySelector("[data-state=refused]").hidden = false;
    this.querySelector("[data-told]").textContent = why;
  }
}

customElements.define("sign-in", SignIn);
