"""Pages that are one message: how to sign in, and what went wrong."""

from leadline.web.frame import Frame
from leadline.web.rendering import render

_SIGN_IN = frozenset({"no-key", "bad-key", "signed-out"})


def refused(slug: str, message: str, hint: str) -> str:
    """Return the page for a refusal; if it is for want of a sign-in, how to do that."""
    if slug in _SIGN_IN:
        return render("signed_out.html", frame=Frame(), slug=slug)
    return render("refused.html", frame=Frame(), slug=slug, message=message, hint=hint)


def signing_in() -> str:
    """Return the page that a link of `leadline open` leads to."""
    return render("sign_in.html", frame=Frame())
