"""A digest of all that a value of a library is: what a capture shows of a table, an array or a
model is what a reader wants to see, and two that look alike can differ in more.

The library itself writes it down, as it would for another process; the run is over, and its
process about to end. Two values that are made otherwise and are equal can be written down
otherwise: a digest that differs says that nothing is known, never that it is another value.
"""

import io
import pickle
import sys
from typing import Any

from leadline.agent.place.digests import begin
from leadline.trial.withheld import WithheldTouched

_LIBRARIES = frozenset(
    ("numpy", "pandas", "pyarrow", "polars", "scipy", "PIL", "xarray", "shapely")
)
_MOST = 64_000_000
"""Bytes of what a library writes of one value: a digest of so many takes 0.05 s."""
_known: dict[type, str] = {}
_LETTERS = str.maketrans("0123456789abcdef", "ghijklmnopabcdef")


def whole_of(value: Any) -> str:
    """Return what tells a value from others that look like it; nothing for one of no such
    library, or that its library cannot write down. It has no digits: it is nothing that random
    bytes have made."""
    if not _kind(type(value)):
        return ""
    try:
        parts = _parts(value)
    except Exception:  # noqa: BLE001 - whatever its library makes of it
        return ""
    return stored(parts)


def stored(value: object) -> str:
    """Return a digest of an object as it would be stored; nothing for one that cannot be."""
    written = _Bounded()
    try:
        pickler = pickle.Pickler(written, 5)
        pickler.fast = True  # what is referred to twice is written twice, as of equal ones
        pickler.dump(value)
    except (Exception, WithheldTouched):  # noqa: BLE001 - it does not want to, or leads to itself
        return ""
    return str(written.digest.hexdigest()).translate(_LETTERS)


class _Bounded(io.RawIOBase):
    """Takes what is written, and keeps its digest alone."""

    def __init__(self) -> None:
        self.digest = begin()
        self._left = _MOST

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = memoryview(data).cast("B")
        self._left -= len(piece)
        if self._left < 0:
            raise OverflowError
        self.digest.update(piece)
        return len(piece)


def is_of_a_library(cls: type) -> bool:
    """Tell whether a class is of a library whose objects are more than is shown of them."""
    return _kind(cls) == "library"


def _kind(cls: type) -> str:
    found = _known.get(cls)
    if found is None:
        named = (str(one.__module__).partition(".")[0] for one in cls.__mro__)
        slots = (getattr(one, "__slots__", ()) for one in cls.__mro__)
        found = "library" if any(name in _LIBRARIES for name in named) else ""
        if any("__pydantic_fields_set__" in one for one in slots):
            found = "model"
        _known[cls] = found
    return found


def _parts(value: Any) -> Any:
    """Return what is written down of a value."""
    cls = type(value)
    if _kind(cls) == "model":
        return sorted(map(repr, value.model_fields_set))
    pandas: Any = sys.modules.get("pandas")
    if pandas is None or not issubclass(cls, pandas.DataFrame | pandas.Series):
        return cls.__qualname__, value
    columns, names = [value], value.name if issubclass(cls, pandas.Series) else value.columns
    if issubclass(cls, pandas.DataFrame):  # how they lie together in memory is no part of it
        columns = [value.iloc[:, at] for at in range(value.shape[1])]
    kinds = [(repr(one.dtype), one.array.copy()) for one in columns]
    alike = value.flags.allows_duplicate_labels
    return cls.__qualname__, kinds, names, value.index, dict(value.attrs), alike
