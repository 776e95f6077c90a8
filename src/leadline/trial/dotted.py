"""What stands here under the dotted name that a document of `wire.kept` gives of it."""

import importlib
from typing import Any

from leadline.wire.errors import RefusedError
from leadline.wire.kept import TYPE_STEP

_NOTHING = object()


def refused(sentence: str) -> RefusedError:
    """Return the error of arguments that cannot be made again here."""
    return RefusedError("not-rebuildable", f"The arguments cannot be rebuilt: {sentence}.")


def by_name(module: str, name: str) -> Any:
    """Return what a module has under a dotted name, as it lies there; imports the module."""
    if not module:
        raise refused("the program itself is not here")
    try:
        found: Any = importlib.import_module(module)
    except ImportError as error:
        raise refused(f"{module} cannot be imported here ({error})") from error
    for step in name.split(".") if name else ():
        found = type(found) if step == TYPE_STEP else _step(found, step, f"{module}.{name}")
    return found


def _step(found: Any, step: str, whole: str) -> Any:
    if issubclass(type(found), type):
        for cls in type.__dict__["__mro__"].__get__(found):
            held = vars(cls).get(step, _NOTHING)
            if held is not _NOTHING:
                is_wrapped = type(held) in (classmethod, staticmethod)
                return held.__func__ if is_wrapped else held
    elif hasattr(found, "__dict__"):
        held = vars(found).get(step, _NOTHING)
        if held is not _NOTHING:
            return held
    try:
        return getattr(found, step)
    except AttributeError:
        raise refused(f"there is no {whole} here") from None
