"""What an object of a library that we know holds under a name: read, never asked for.

For a hit's own circumstances (its trace, its task), which no expression names: nothing is taken
from the fuel of the hit's expressions, and what is not as expected is simply not there.
"""

import sys
from types import ModuleType
from typing import Any

from leadline.expression.fuel import sparse
from leadline.expression.interruption import expected
from leadline.expression.layout import MISSING, layout_of
from leadline.expression.unknown import Unknown
from leadline.expression.walking import find

MAX_NAMES = 1_000
"""Names that one object or module may hold; those that are read here hold at most a hundred."""

_module_dict: Any = vars(ModuleType)["__dict__"].__get__


def in_module(module: str, name: str) -> object:
    """Return what a loaded module holds under `name`, or `MISSING`; never imports it."""
    loaded = sys.modules.get(module)
    if type(loaded) is not ModuleType:
        return MISSING
    return among(_module_dict(loaded), name)


def held(obj: object, name: str) -> object:
    """Return what `obj` holds under `name`, in its dictionary or a slot, or `MISSING`."""
    layout = layout_of(type(obj))
    if layout.namespace is not None:
        found = among(layout.namespace(obj), name)
        if found is not MISSING:
            return found
    for slot, read in layout.slots:
        if slot == name:
            try:
                return read(obj)
            except AttributeError as error:  # not filled
                if not expected(error, AttributeError):
                    raise
    return MISSING


def among(mapping: Any, name: str) -> object:
    """Return what a dictionary, of whatever subclass, holds under `name`, or `MISSING`."""
    if layout_of(type(mapping)).base is not dict:
        return MISSING
    size = dict.__len__(mapping)
    if size > MAX_NAMES or sparse(dict.__sizeof__(mapping), size):
        return MISSING
    try:
        return find(mapping, name)
    except Unknown:  # another thread kept changing it
        return MISSING
