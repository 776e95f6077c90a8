"""The body of a WSGI response, where what an application returns holds it already.

The server asks for it after the call, and most applications have made it by then: a list of
bytes, Django's response with its content, the iterator of Flask and werkzeug over what its
response holds. Read, and not iterated over: what is made on the way is not seen.
"""

import types
from collections.abc import Callable
from typing import Any

from leadline import native
from leadline.agent.capture.held import held
from leadline.agent.capture.recognition import genuine, getter
from leadline.expression.layout import layout_of

MAX_CHUNKS = 1_000
_CONTENT = "django.http.response.HttpResponse"
_CLOSING = "werkzeug.wsgi.ClosingIterator"
_ENCODING = "_iter_encoded"
_of_generator = vars(types.GeneratorType)
_FRAME, _SUSPENDED, _CODE = (
    _of_generator[name].__get__ for name in ("gi_frame", "gi_suspended", "gi_code")
)


def body_of(result: object) -> list[bytes] | None:
    """Return the pieces of a body; None where that is not known."""
    if type(result) is list or type(result) is tuple:
        return _plain(result)
    layout = layout_of(type(result))
    for cls, dotted in zip(layout.order, layout.names, strict=True):
        read = _READERS.get(dotted)
        if read is not None and genuine(cls, dotted):
            return read(result)
    return None


def _plain(held: Any) -> list[bytes] | None:
    """Return what a row holds, if that is nothing but bytes, or texts that become such."""
    if (type(held) is not list and type(held) is not tuple) or len(held) > MAX_CHUNKS:
        return None
    found: list[bytes] = []
    for one in list(held):
        if type(one) is not bytes and type(one) is not str:
            return None
        found.append(one.encode("utf-8", "replace") if isinstance(one, str) else one)
    return found


def _content(result: object) -> list[bytes] | None:
    found = _plain(held(result, "_container"))
    return found if held(result, "streaming") is not True else None


def _closing(result: object) -> list[bytes] | None:
    """As werkzeug makes it: the next of a generator that has not begun, and what it is over."""
    following = held(result, "_next")
    layout = layout_of(type(following))
    cls = next((one for one in layout.order if genuine(one, "functools.partial")), None)
    read = getter(layout, cls, "args") if cls is not None else None
    args: Any = read(following) if read is not None else ()
    if len(args) != 1 or type(args[0]) is not types.GeneratorType:
        return None
    generator, core = args[0], native.core()
    frame = _FRAME(generator)
    if core is None or frame is None or _SUSPENDED(generator):
        return None
    if _CODE(generator).co_name != _ENCODING:
        return None
    given = core.parameters_of(frame)
    return _plain(given[0][1]) if len(given) == 1 else None


_READERS: dict[str, Callable[[object], list[bytes] | None]] = {
    _CONTENT: _content,
    _CLOSING: _closing,
}
