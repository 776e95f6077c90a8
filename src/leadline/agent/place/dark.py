"""Objects of C code that a capture shows nothing of: what can be read of them, and which are
left of which nothing can be said."""

import sys
import types
import zlib
from collections.abc import Callable
from typing import Any

from leadline.agent.capture.holding import hidden_state
from leadline.agent.capture.resources import is_resource
from leadline.agent.capture.room import Room
from leadline.agent.capture.tree import Walk
from leadline.agent.place.digests import digest
from leadline.agent.place.parts import by_class, ordinary
from leadline.agent.place.whole import is_of_a_library
from leadline.expression.layout import Layout, layout_of
from leadline.wire.limits import CaptureLimits
from leadline.wire.value import Omission

_SHOWN = CaptureLimits(depth=2, items=10, text=100)
_COMPRESSORS = (type(zlib.compressobj()), type(zlib.decompressobj()))
_OPEN = frozenset(
    """
    builtins.object builtins.super builtins.property builtins.staticmethod
    builtins.classmethod builtins.getset_descriptor builtins.member_descriptor
    builtins.method_descriptor builtins.wrapper_descriptor builtins.classmethod_descriptor
    builtins.code builtins.frame builtins.traceback builtins.cell builtins.ellipsis
    builtins.NotImplementedType builtins.PyCapsule
    functools._lru_cache_wrapper functools.partial functools.KeyWrapper
    _abc._abc_data _json.Scanner _json.Encoder _csv.Dialect _csv.writer _csv.reader
    decimal.Context unicodedata.UCD sqlite3.Row types.UnionType types.GenericAlias re.Pattern
    re.Match
    """.split()
)
"""Classes whose instances hold nothing more, are told by what is read of them, or never differ
where the names in them do not."""
_NAMED = {
    "types.UnionType": ("__args__",),
    # but for its flags, which every sum sets
    "decimal.Context": ("prec", "rounding", "Emin", "Emax", "capitals", "clamp"),
}
"""What is read of objects of these classes."""
_KEY_WORDS = ("private_bytes_raw", "public_bytes_raw", "private_numbers", "public_numbers")
_MODULES = ("typing", "_typing", "_thread", "_weakref", "weakref", "_contextvars", "_asyncio")


@by_class
def shows_all(kind: type) -> bool:
    """Tell whether instances of a class hold what is in their dictionary, and no more."""
    if is_of_a_library(kind) or ordinary(kind) is None:
        return False
    return not hidden_state(layout_of(kind), object)


def read_of(value: Any) -> dict[str, object]:
    """Return what can be read of an object that C code keeps, by name."""
    name = _dotted(layout_of(type(value)))
    if issubclass(type(value), _rows()):
        return {"row": tuple(value), "keys": value.keys()}
    if name in _NAMED:
        return {word: getattr(value, word) for word in _NAMED[name]}
    if issubclass(type(value), memoryview):
        return {"of": [value.readonly, value.format, value.shape, value.tobytes()]}
    if issubclass(type(value), _COMPRESSORS):
        return {"rest": value.copy().flush()}
    read = next((one for start, one in _READ.items() if name.startswith(start)), None)
    return read(value) if read is not None else {}


def is_dark(value: Any) -> bool:
    """Tell whether an object holds what nobody can see here."""
    layout = layout_of(type(value))
    if not _may_be(layout) or issubclass(type(value), (*_rows(), *_COMPRESSORS)):
        return False
    shown = Walk(_SHOWN, Room(10_000)).take(value, 0)
    if type(shown) is not dict or shown.get("form"):
        return False
    if shown.get("omitted") == Omission.OPAQUE:
        return "rule" not in shown
    return set(shown) <= {"type", "fields", "omitted"} and hidden_state(layout, object)


def _may_be(layout: Layout) -> bool:
    if layout.base is not None or layout.is_enum or is_resource(layout):
        return False
    if _dotted(layout) in _OPEN or layout.module in _MODULES:
        return False
    if issubclass(layout.cls, BaseException | types.ModuleType | type):
        return False
    if "datetime.tzinfo" in layout.names or hasattr(layout.cls, "getstate"):
        return False
    return hidden_state(layout, object)


def _dotted(layout: Layout) -> str:
    return f"{layout.cls.__module__}.{layout.cls.__qualname__}"


def _rows() -> tuple[Any, ...]:
    """Return the class of rows of SQLite, where it is in use."""
    sqlite = sys.modules.get("sqlite3")
    row = getattr(sqlite, "Row", None)
    return (row,) if isinstance(row, type) else ()


def _key(value: Any) -> dict[str, object]:
    """Return what tells a key or certificate from others, and does not give it away."""
    encoding = getattr(
        sys.modules.get("cryptography.hazmat.primitives.serialization"), "Encoding", None
    )
    found: dict[str, object] = {}
    for name in _KEY_WORDS:
        if callable(told := getattr(value, name, None)):
            made = told()
            numbers = made if isinstance(made, bytes) else _deep_attributes(made)
            found[name] = digest(repr(numbers))
    if not found and encoding is not None and hasattr(value, "fingerprint"):
        found["der"] = digest(value.public_bytes(encoding.DER))
    return found


def _deep_attributes(value: object) -> object:
    if issubclass(type(value), int | str | bytes):
        return value
    if not type(value).__module__.startswith("cryptography."):
        return type(value).__qualname__
    return {name: _deep_attributes(one) for name, one in _attributes(value).items()}


def _attributes(value: object) -> dict[str, object]:
    """Return what the members of a class of C code give out."""
    kinds = (types.GetSetDescriptorType, types.MemberDescriptorType)
    names = {
        name
        for cls in type(value).__mro__
        for name, one in vars(cls).items()
        if isinstance(one, kinds) and not name.startswith("__")
    }
    return {name: getattr(value, name) for name in sorted(names) if hasattr(value, name)}


_READ: dict[str, Callable[[Any], dict[str, object]]] = {
    "ast.": lambda tree: {"tree": sys.modules["ast"].dump(tree, include_attributes=True)},
    "lxml.etree.": lambda one: {"text": sys.modules["lxml.etree"].tostring(one)},
    "cryptography.": _key,
    "_csv.": _attributes,
    "_json.": _attributes,
    "builtins.PyCapsule": _attributes,
}
"""What reads objects of classes whose names begin so."""
