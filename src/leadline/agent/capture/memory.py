"""Reads the one member of a read-only view of a mapping, which no function of Python tells.

`types.MappingProxyType` forwards every question to the mapping behind it, and that can be an
object of the application. Asking the garbage collector would tell the audit hooks. So the
member is read where C lays it out: the word after the object's head, as bytes. That this is
so is tried once, on a view of our own, before it is believed.
"""

import ctypes
import sys
from types import MappingProxyType

from leadline.expression.layout import MISSING, identity

_WORD = 8
_HEAD_WORDS = 2
"""Count of references and class; debug builds and free-threaded ones have others."""
_HASH_SHIFT = 4
"""`object.__hash__` is the address rotated by so much; addresses end in so many zeros."""

_read = ctypes.pythonapi.PyBytes_FromStringAndSize
_read.argtypes, _read.restype = (ctypes.c_void_p, ctypes.c_ssize_t), ctypes.py_object
_object_at = ctypes.pythonapi.Py_NewRef
_object_at.argtypes, _object_at.restype = (ctypes.c_void_p,), ctypes.py_object


def first_member(view: object) -> object:
    """Return the mapping behind an exact `MappingProxyType`, or `MISSING`."""
    if not _AS_EXPECTED or type(view) is not MappingProxyType:
        return MISSING
    address = (identity(view) << _HASH_SHIFT) + _HEAD_WORDS * _WORD
    found: object = _object_at(int.from_bytes(_read(address, _WORD), sys.byteorder))
    return found


def _as_expected() -> bool:
    """Whether a view of our own lies in memory as we think; compared as numbers only."""
    if (
        hasattr(sys, "gettotalrefcount")
        or sys.maxsize < 2**32
        or MappingProxyType.__basicsize__ != 24
    ):
        return False
    known: dict[str, int] = {}
    view = MappingProxyType(known)
    address = identity(view) << _HASH_SHIFT
    word = int.from_bytes(_read(address + _HEAD_WORDS * _WORD, _WORD), sys.byteorder)
    kind = int.from_bytes(_read(address + _WORD, _WORD), sys.byteorder)
    return word == identity(known) << _HASH_SHIFT and kind == identity(MappingProxyType) << 4


_AS_EXPECTED = _as_expected()
