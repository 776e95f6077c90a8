"""Captured text made safe to look at: what cannot be seen, or turns text around, is shown.

Escaping keeps text from being markup. It does not keep a text from looking like another one: a
control character can hide, and a bidirectional one can reverse what stands beside it.
`static/js/visible.js` does the same in the browser, and a test compares the two.
"""

import unicodedata
from typing import Any

from markupsafe import Markup

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of Unicode: control, format (bidirectional ones too), surrogate, private use,
unassigned, and the separators of lines and paragraphs."""
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
"""Letters by their category, and blank in every font."""


def plain(value: Any) -> Any:
    """Return text with what is unseen spelled out, such as `⟨U+202E⟩`; other things as is.

    Every template passes everything through this, so nothing depends on being remembered.
    """
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    if value.isascii() and value.isprintable():
        return value
    return "".join(one if _seen(one) else f"⟨{_code(one)}⟩" for one in value)


def visible(text: object) -> Markup:
    """Return captured text as an element of its own, with what is unseen marked and named."""
    return Markup('<bdi class="captured">{}</bdi>').format(marked(str(text)))


def marked(text: str) -> Markup:
    """Return text with what is unseen marked and named, without an element of its own."""
    if text.isascii() and text.isprintable():
        return Markup.escape(text)
    parts = [
        Markup('<span class="unseen" title="{}">⟨{}⟩</span>').format(_name(one), _code(one))
        if not _seen(one)
        else Markup.escape(one)
        for one in text
    ]
    return Markup("").join(parts)


def _seen(one: str) -> bool:
    return one in "\n\t" or (unicodedata.category(one) not in _UNSEEN and one not in _FILLERS)


def _code(one: str) -> str:
    return f"U+{ord(one):04X}"


def _name(one: str) -> str:
    return unicodedata.name(one, "no name")
