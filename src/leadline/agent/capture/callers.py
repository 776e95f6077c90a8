"""Who called: the callers that are the application's own, by name."""

import os
import sys
from types import CodeType, FrameType
from typing import Any

from leadline.agent.capture.frame import frame_code
from leadline.expression.layout import MISSING
from leadline.expression.walking import lookup
from leadline.wire.call import MAX_CALLERS

MAX_LOOKED_AT = 200
"""Frames; further out stand frameworks and the interpreter's start."""
_MAX_CHARS = 200
"""Of one name."""
_OURS = __file__.removesuffix("agent/capture/callers.py")
_DEMO = f"{_OURS}demo/service/"  # an application like any other
_OTHERS = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))
_LIBRARY = (os.path.dirname(os.__file__) + os.sep, sys.base_prefix + os.sep, "<frozen ")


def callers_of(frame: FrameType) -> list[str]:
    """Return `module:qualname` of the callers of `frame`, the innermost first."""
    found: list[str] = []
    outer = frame.f_back
    for _ in range(MAX_LOOKED_AT):
        if outer is None or len(found) == MAX_CALLERS:
            break
        code = frame_code(outer)
        if in_scope(code):
            found.append(f"{module_name(outer)}:{code.co_qualname}"[:_MAX_CHARS])
        outer = outer.f_back
    return found


def module_name(frame: FrameType) -> str:
    """Return the name that the module of a frame's code has for itself."""
    namespace: Any = frame.f_globals
    name = lookup(namespace, "__name__") if type(namespace) is dict else MISSING
    return name if type(name) is str else "?"


def in_scope(code: CodeType) -> bool:
    """Tell whether code is the application's own: none of a library, and none of ours."""
    file = code.co_filename
    if file.startswith(_OURS):
        return file.startswith(_DEMO)
    return not file.startswith(_LIBRARY) and not any(folder in file for folder in _OTHERS)
