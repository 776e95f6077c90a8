"""What an object holds, one step deep: items, attributes, cells, what an iterator goes over.

The run is over, or none has begun: nothing here changes what it looks at, so no iterator is
asked for its next value.
"""

import gc
import io
import itertools
import logging
import re
import sys
import types
import warnings
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial, partialmethod
from typing import Any

from leadline.agent.capture.resources import is_resource
from leadline.agent.place.belongings import contents_of, state_of
from leadline.agent.place.digests import digest
from leadline.agent.place.whole import is_of_a_library, whole_of
from leadline.expression.layout import Getter, layout_of
from leadline.trial.withheld import Withheld

type Part = tuple[str, object]
"""A step of a path, `.name` or `[0]`, and what is there."""

PLAIN = frozenset(
    (
        *(int, float, str, bytes, bool, complex, range, type(None), type(...)),
        *(type(NotImplemented), Withheld, re.Pattern, types.CodeType, types.FrameType),
        *(types.TracebackType, types.BuiltinFunctionType, types.ModuleType),
        *(types.GetSetDescriptorType, types.MemberDescriptorType, types.MethodDescriptorType),
        *(types.WrapperDescriptorType, types.ClassMethodDescriptorType),
    )
)
"""Classes whose instances have nothing inside that is looked at, and never change. (Methods of
C code that are bound to an object are looked into.)"""
_GENERATORS: dict[type, str] = {
    types.GeneratorType: "gi_",
    types.CoroutineType: "cr_",
    types.AsyncGeneratorType: "ag_",
}
_ATTRIBUTES: dict[type, tuple[str, ...]] = {
    types.MethodType: ("__self__", "__func__"),
    types.MethodWrapperType: ("__self__",),
    partial: ("func", "args", "keywords"),
    partialmethod: ("func", "args", "keywords"),
    property: ("fget", "fset", "fdel"),
    staticmethod: ("__func__",),
    classmethod: ("__func__",),
    slice: ("start", "stop", "step"),
    types.CellType: ("cell_contents",),
}
_VIEWS: tuple[type, ...] = (
    types.MappingProxyType,
    type({}.keys()),
    type({}.values()),
    type({}.items()),
)
_CONTAINERS = (dict, list, tuple, set, frozenset, deque)
_APART = (BaseException, logging.Logger, types.FunctionType, weakref.ReferenceType)
_COMBINED = "_value2member_map_"
"""Where an `enum.Flag` keeps members that were combined before: whoever asks next gets them."""
_LRU_CACHE = type(lru_cache(len))
_SHORT = 64
_MAX_TEXT, _MAX_BYTES = 50_000, 5_000
"""Of what C code keeps: noise in it is told from what is beside it."""
_LARGE = 1_000_000
"""Bytes that are not copied, to be looked at."""


def by_class[Learnt](learn: Callable[[type], Learnt]) -> Callable[[type], Learnt]:
    """Learn something of each class once: a class need not have a hash."""
    known: dict[int, tuple[type, Learnt]] = {}

    def learnt(kind: type) -> Learnt:
        found = known.get(id(kind))
        if found is None:
            found = known[id(kind)] = kind, learn(kind)
        return found[1]

    return learnt


def is_plain(value: object) -> bool:
    """Tell whether nothing in a value can change."""
    kind = type(value)
    if kind is types.BuiltinFunctionType:
        owner = value.__self__  # type: ignore[attr-defined]
        return owner is None or isinstance(owner, types.ModuleType | type)
    return kind in PLAIN


@by_class
def ordinary(kind: type) -> Getter | None:
    """Return what reads the dictionary in which instances of a class hold all that they hold;
    None for classes that hold something elsewhere."""
    layout = layout_of(kind)
    if layout.namespace is None or layout.slots or layout.base is not None or layout.is_enum:
        return None
    if kind in _GENERATORS or kind.__module__ in ("functools", "_weakref"):
        return None
    if issubclass(kind, _APART) or is_resource(layout) or _is_of_c(kind):
        return None
    return layout.namespace


@by_class
def _is_of_c(kind: type) -> bool:
    """Tell whether C code may keep something for instances of a class."""
    if issubclass(kind, io.StringIO | io.BytesIO | itertools.count):
        return True
    if any(hasattr(kind, name) for name in ("__buffer__", "hexdigest")):
        return True
    if is_of_a_library(kind) or kind.__module__ == "ast":
        return True
    if hasattr(kind, "getstate") and hasattr(kind, "getrandbits"):
        return True
    return kind.__module__ in ("builtins", "itertools") and hasattr(kind, "__length_hint__")


def is_lru_cache(value: object) -> bool:
    """Tell whether a value is a function whose results `functools` keeps."""
    return type(value) is _LRU_CACHE


def parts(value: Any) -> list[Part] | None:
    """Return what is inside of an object; None where nothing can be told apart. Raises
    whatever code of the application raises that is met."""
    kind = type(value)
    if kind in _ATTRIBUTES:
        return _named(value, _ATTRIBUTES[kind])
    read = _READERS.get(kind)
    if read is None:
        read = next((one for base, one in _DERIVED if issubclass(type(value), base)), _object)
    return read(value)


def _named(value: object, names: Iterable[str]) -> list[Part]:
    return [(f".{name}", getattr(value, name)) for name in names if hasattr(value, name)]


def _object(value: Any) -> list[Part] | None:
    kind = type(value)
    layout = layout_of(kind)
    if _is_resource(kind):
        return _belonging(value)
    if layout.is_enum:
        return [(f".{name}", one) for name, one in vars(value).items() if name[0] != "_"]
    if issubclass(type(value), type):
        return None
    found = items(value) if issubclass(type(value), _CONTAINERS) else []
    if issubclass(type(value), BaseException):
        found += [(".args", value.args), (".__cause__", value.__cause__)]
    if kind.__module__ in ("builtins", "itertools") and hasattr(kind, "__next__"):
        found += _iterated(value)
    for name, slot in layout.slots:
        try:
            found.append((f".{name}", slot(value)))
        except AttributeError:
            continue  # it was never filled
    held: Any = layout.namespace(value) if layout.namespace is not None else None
    if type(held) is dict:
        found += attributes(held)
    known = issubclass(type(value), _CONTAINERS) or layout.slots or layout.namespace is not None
    return found if found or known else None


def _belonging(value: object) -> list[Part]:
    """Return what is inside of what belongs to its process, such as a queue."""
    return [
        (f".{name}{step}", one)
        for name, held in contents_of(value).items()
        for step, one in items(held)
    ]


def _generator(value: Any) -> list[Part]:
    frame = getattr(value, f"{_GENERATORS[type(value)]}frame")
    return [(f".{name}", one) for name, one in (frame.f_locals.items() if frame else ())]


def _seen_through(value: object) -> list[Part]:
    """Return the mapping that a view is of."""
    return [("", one) for one in gc.get_referents(value) if isinstance(one, Mapping)]


def beneath(value: Any) -> list[object]:
    """Return what an object keeps its parts in, and is none itself: cells, a dictionary."""
    if issubclass(type(value), type):
        return []
    read = layout_of(type(value)).namespace
    held = read(value) if read is not None else None
    found: list[object] = [held] if type(held) is dict else []
    if type(value) is types.FunctionType:
        found += [*(value.__closure__ or ()), value.__kwdefaults__]
    return [one for one in found if one is not None]


def attributes(held: Mapping[str, Any]) -> list[Part]:
    """Return a namespace without what the interpreter keeps there."""
    return [(f".{name}", one) for name, one in list(held.items()) if not is_inner(name)]


def is_inner(name: object) -> bool:
    """Tell whether a name is none of the application's own."""
    if type(name) is not str or name.startswith("_abc_") or name == _COMBINED:
        return True
    return name.startswith("__") and name.endswith("__") and name != "__notes__"


def items(value: Any) -> list[Part]:
    """Return the items of a container with their steps, each step once."""
    if issubclass(type(value), dict):
        pairs = [(*_keyed(key, "[{}]"), key, one) for key, one in ordered(value)]
        found = [(step, one) for step, _, _, one in pairs]
        found += [(f"(key {step})", key) for step, plain, key, _ in pairs if not plain]
    elif issubclass(type(value), set | frozenset):
        return members(list(value))
    else:
        return [(f"[{index}]", one) for index, one in enumerate(value)]
    return _numbered(found)


def members(values: Iterable[Any]) -> list[Part]:
    """Return the members of a set, in the order in which they are given, with their steps."""
    return _numbered((_keyed(one, "{{{}}}")[0], one) for one in values)


def ordered(value: dict[Any, Any]) -> list[tuple[Any, Any]]:
    """Return the entries of a table in its order, which an `OrderedDict` keeps for itself."""
    if not issubclass(type(value), OrderedDict):
        return list(dict.items(value))
    return [(key, dict.__getitem__(value, key)) for key in OrderedDict.__iter__(value)]


def _numbered(found: Iterable[Part]) -> list[Part]:
    """Give steps that are written alike a number each."""
    times: dict[str, int] = {}
    numbered: list[Part] = []
    for step, one in found:
        times[step] = count = times.get(step, 0) + 1
        numbered.append((step if count == 1 else f"{step}#{count}", one))
    return numbered


def _keyed(key: Any, form: str) -> tuple[str, bool]:
    """Return a key, or a member of a set, as a step, and whether it is plain data."""
    kind = type(key)
    if kind is tuple or kind is frozenset:
        inner = [_keyed(one, "{}") for one in key]
        words = [text for text, _ in inner]
        text = ", ".join(words if kind is tuple else sorted(words))
        text = f"({text},)" if kind is tuple else f"frozenset({{{text}}})"
        plain = all(one for _, one in inner)
    elif is_plain(key) and kind is not Withheld:
        text, plain = key.__name__ if hasattr(key, "__name__") else repr(key), True
    elif isinstance(key, type | types.FunctionType):
        text, plain = f"{key.__module__}.{key.__qualname__}", True
    elif layout_of(kind).is_enum:
        text, plain = f"{kind.__name__}.{key.name}", True
    elif kind.__module__ in ("datetime", "decimal", "uuid", "pathlib", "fractions"):
        text, plain = str(key), True
    else:
        text, plain = kind.__name__, False
    if len(text) > _SHORT * 2:
        text = f"{text[:_SHORT]}… #{digest(text)}"
    return form.format(text), plain


def _function(value: types.FunctionType) -> list[Part]:
    names, cells = value.__code__.co_freevars, value.__closure__ or ()
    found: list[Part] = []
    for name, cell in zip(names, cells, strict=False):
        try:
            found.append((f"(closure).{name}", cell.cell_contents))
        except ValueError:
            continue  # it has no value yet
    for number, one in enumerate(value.__defaults__ or (), 1):
        found.append((f"(default {number})", one))
    for name, one in (value.__kwdefaults__ or {}).items():
        found.append((f"(default of {name})", one))
    found += attributes(vars(value))
    if "__wrapped__" in vars(value):
        found.append((".__wrapped__", vars(value)["__wrapped__"]))
    return found


def _iterated(value: Any) -> list[Part]:
    """Return what an iterator of the interpreter goes over."""
    if type(value) is itertools.count:
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            _, *made_of = value.__reduce__()
        except Exception:  # noqa: BLE001 - then the objects that it leads to say it
            return [(f"(of {at})", one) for at, one in enumerate(gc.get_referents(value))]
    return [(f"(of {at})", one) for at, one in enumerate(made_of)]


def of_c(value: Any) -> object:
    """Return what C code keeps for a value and none of its parts shows, as plain data that is
    the same only for the same; None where there is nothing such."""
    kind = type(value)
    if kind in PLAIN or kind in _CONTAINERS or kind is types.FunctionType:
        return None
    if kind in _GENERATORS:
        frame = getattr(value, f"{_GENERATORS[kind]}frame")
        return f"stands at {frame.f_lasti}" if frame is not None else "is over"
    if _is_resource(kind):
        return state_of(value)
    if not _is_of_c(kind):
        return None
    try:
        return _asked(kind, value)
    except Exception:  # noqa: BLE001 - it cannot say it
        return None


def _asked(kind: Any, value: Any) -> object:
    if issubclass(type(value), io.StringIO | io.BytesIO):
        return "closed" if value.closed else [_told(value.getvalue()), value.tell()]
    if kind is itertools.count:
        return repr(value)
    if kind.__module__ == "ast":
        return _told(sys.modules["ast"].dump(value, include_attributes=True))
    if hasattr(kind, "hexdigest"):
        return digest(value.hexdigest())
    if hasattr(kind, "getstate"):
        return digest(repr(value.getstate()))
    if hasattr(kind, "__length_hint__"):
        return kind.__length_hint__(value)
    if not hasattr(kind, "__buffer__"):
        return whole_of(value)
    view = memoryview(value)
    return _told(
        view.cast("B") if view.c_contiguous and view.nbytes > _LARGE else view.tobytes()
    )


@by_class
def _is_resource(kind: type) -> bool:
    return is_resource(layout_of(kind))


def _told(text: str | bytes | memoryview) -> object:
    """Return a text, or bytes; of what is long a digest."""
    if len(text) <= (_MAX_TEXT if isinstance(text, str) else _MAX_BYTES):
        return text if isinstance(text, str) else bytes(text)
    return f"{len(text)} #{digest(text)}"


_READERS: dict[type, Callable[[Any], list[Part] | None]] = {
    types.BuiltinFunctionType: lambda value: [(".__self__", value.__self__)],
    types.FunctionType: _function,
    **dict.fromkeys(_GENERATORS, _generator),
    **dict.fromkeys(_VIEWS, _seen_through),
}
_DERIVED: tuple[tuple[type, Callable[[Any], list[Part] | None]], ...] = (
    (weakref.ReferenceType, lambda value: [("()", value())]),
    (logging.Logger, lambda value: _named(value, ("handlers", "filters"))),  # not its levels
)
