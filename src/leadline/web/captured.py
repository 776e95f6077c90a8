"""A captured call on the page: what there is to say of it beside its values."""

from typing import Any

from leadline.wire.call import size_words


def notes_of(call: Any) -> list[str]:
    """Return what there is to say of a captured call, a sentence each."""
    notes = []
    if call["kept"] is not None:
        names = ", ".join(call["kept"].get("roots", ())) or "none"
        notes.append(
            f"Its arguments at its beginning are kept ({size_words(call['size'])}): {names}."
        )
    notes += [f"Held back: {held}." for held in call["withheld"]]
    if call["obstacle"]:
        notes.append(f"It cannot be made again: {call['obstacle']}.")
    if call["fails"] is not None:
        notes.append("It fails." if call["fails"] else "It does not fail.")
    if call["unknown"]:
        notes.append(f"Whether it fails is unknown: {call['unknown']}.")
    if call["callers"]:
        notes.append(f"Called by {', '.join(call['callers'])}.")
    return notes
