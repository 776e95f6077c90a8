"""The environment of the process: as it is, and what has been changed of it."""

from leadline.agent.capture.recognition import held, in_module
from leadline.expression.layout import layout_of


def environment() -> dict[bytes, bytes]:
    """Return the environment of the process as it is now; an empty one where it is not laid out
    as ever."""
    named = named_now()
    found = dict(named)
    for name, value in found.items():
        if type(name) is not bytes or type(value) is not bytes:
            return {}
    return found


def changed(before: dict[bytes, bytes]) -> dict[str, str | None]:
    """Return what is otherwise than it was, None for what is no longer there."""
    now = environment()
    if now == before or not before or not now:
        return {}
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    return {
        name.decode("utf-8", "surrogateescape"): now[name].decode("utf-8", "surrogateescape")
        if name in now
        else None
        for name in names
    }


_known: list[tuple[object, dict[bytes, bytes]]] = []
"""Where it lies is looked for once."""


def named_now() -> dict[bytes, bytes]:
    """Return the dictionary itself that the environment lies in: not to be held, or changed."""
    environ = in_module("os", "environ")
    if _known and _known[0][0] is environ:
        return _known[0][1]
    named = held(environ, layout_of(type(environ)), "_data")
    if type(named) is not dict:
        return {}
    _known[:] = [(environ, named)]
    return named
