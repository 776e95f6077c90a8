"""Who called: the callers that are the application's own, by name."""

import os
import sys
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any

from leadline import native
from leadline.agent.capture.frame import frame_code
from leadline.expression.layout import MISSING, identity
from leadline.expression.walking import lookup
from leadline.wire.call import MAX_CALLERS

MAX_LOOKED_AT = 200
"""Frames; further out stand frameworks and the interpreter's start."""
_MAX_CHARS = 200
"""Of one name."""
_AT_ONCE = 16
_MAX_NAMES = 10_000
_names: dict[int, tuple[CodeType, str]] = {}
"""What is known of code, by where it lies: whose it is does not change."""
_OURS = __file__.removesuffix("agent/capture/callers.py")
_DEMO = f"{_OURS}demo/service/"  # an application like any other
_OTHERS = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))
_LIBRARY = (os.path.dirname(os.__file__) + os.sep, sys.base_prefix + os.sep, "<frozen ")


def callers_of(frame: FrameType) -> list[str]:
    """Return `module:qualname` of the callers of `frame`, the innermost first."""
    core = native.core()
    if core is not None:
        known: list[str] | None = core.callers(frame, _names, MAX_LOOKED_AT, MAX_CALLERS)
        if known is not None:
            return known
    found: list[str] = []
    for code, namespace in _outward(frame):
        if name := name_of(code, namespace):
            found.append(name)
            if len(found) == MAX_CALLERS:
                break
    return found


def _outward(frame: FrameType) -> Iterator[tuple[CodeType, Any]]:
    core = native.core()
    if core is None:
        outer = frame.f_back
        for _ in range(MAX_LOOKED_AT):
            if outer is None:
                break
            yield frame_code(outer), outer.f_globals
            outer = outer.f_back
        return
    for skip in range(0, MAX_LOOKED_AT, _AT_ONCE):  # no frame is made an object
        some = core.outward(frame, skip, _AT_ONCE)
        yield from zip(some[::2], some[1::2], strict=True)
        if len(some) < 2 * _AT_ONCE:
            break


def name_of(code: CodeType, namespace: Any) -> str:
    """Return `module:qualname` of code that is the application's own, and nothing of other."""
    known = _names.get(key := identity(code))
    if known is None:
        name = ""
        if in_scope(code):
            name = f"{module_name(namespace)}:{code.co_qualname}"[:_MAX_CHARS]
        if len(_names) >= _MAX_NAMES:
            _names.clear()
        known = _names[key] = code, name  # the code stays, or another may have its place
    return known[1]


def module_name(namespace: Any) -> str:
    """Return the name that a module has for itself, of which these are the globals."""
    name = lookup(namespace, "__name__") if type(namespace) is dict else MISSING
    return name if type(name) is str else "?"


def in_scope(code: CodeType) -> bool:
    """Tell whether code is the application's own: none of a library, and none of ours."""
    return is_own_file(code.co_filename)


def is_own_file(file: str) -> bool:
    """Tell it of the code of a file."""
    if file.startswith(_OURS):
        return file.startswith(_DEMO)
    return not file.startswith(_LIBRARY) and not any(folder in file for folder in _OTHERS)
