"""How the instances of a class are laid out, learnt without running any code of that class.

A class can answer every ordinary question with code of its own: its metaclass decides what
`==`, `hash()`, `isinstance()` and attribute access mean. So nothing here asks. The method
resolution order and the class dictionaries are read through `type`'s own descriptors, classes
are told apart by identity alone, and a name is compared only with keys that are exact strings.
"""

import enum
import types
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeGuard

from leadline.wire.redaction import secret_name
from leadline.wire.struct import dataclass, field

MAX_LAYOUTS = 4_096
"""Layouts kept. Each keeps its class alive, so a program that makes classes without end must
not grow by us; an ordinary service has a few hundred classes at its probes."""
MAX_NAME_CHARS = 200
"""A class may be given a name of any length; nobody reads more than this of it."""

MISSING = object()
"""Stands for "not there", because None is a value."""

identity: Callable[[object], int] = object.__hash__
"""As `id`, which tells the audit hooks, and those are code of the application."""

type Getter = Callable[[object], object]

_mro: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__
_members: Callable[[type], Mapping[object, object]] = type.__dict__["__dict__"].__get__
_name: Callable[[type], str] = type.__dict__["__name__"].__get__
_qualname: Callable[[type], str] = type.__dict__["__qualname__"].__get__
_module: Callable[[type], object] = type.__dict__["__module__"].__get__
_flags: Callable[[type], int] = type.__dict__["__flags__"].__get__

HEAP_TYPE = 1 << 9
"""Set in the flags of a class that was made at run time; its module is an ordinary member."""

BASES = (
    *(dict, list, tuple, set, frozenset, deque),
    *(str, bytes, bytearray, bool, int, float, complex, type),
)
_BASE_IDS = frozenset(map(identity, BASES))
_METHODS = ("startswith", "endswith")
_NATIVE_KINDS = frozenset(
    map(
        identity,
        (
            types.WrapperDescriptorType,
            types.MethodDescriptorType,
            types.ClassMethodDescriptorType,
            types.GetSetDescriptorType,
            types.MemberDescriptorType,
            types.BuiltinFunctionType,
        ),
    )
)


class _Ordinary:
    """A class whose `__dict__` descriptor is the one that every class statement makes."""


_ORDINARY_DICT_DOC = _members(_Ordinary)["__dict__"].__doc__
_NATIVE_DICTS = frozenset(
    identity(_members(owner)["__dict__"]) for owner in (BaseException, types.FunctionType)
)


class _Pair(NamedTuple):
    first: int


TUPLE_FIELD = type(_members(_Pair)["first"])
"""The class of the attributes of a named tuple: written in C, each knows its index."""
_field_parts: Callable[[object], tuple[Any, Any]] = _members(TUPLE_FIELD)["__reduce__"]  # type: ignore[assignment]
_TRACEBACK_FRAME = _members(types.TracebackType)["tb_frame"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Layout:
    """Where the instances of one class keep what they hold.

    `slots` and `namespace` are getters written in C. A slot's getter raises AttributeError
    while the slot is empty. `base` is the builtin value type that the instances are, if any;
    `overrides` are the operations (`__eq__`, `startswith`) that it answers with its own code.
    """

    cls: type
    order: tuple[type, ...]
    name: str
    module: str
    base: type | None
    slots: tuple[tuple[str, Getter], ...]
    namespace: Getter | None
    names: tuple[str, ...]
    """Dotted names of the class and all that it inherits from, for `isinstance` by name."""
    overrides: frozenset[str]
    has_get: bool
    """An instance that is a class attribute answers reads with code: it is a descriptor."""
    has_set: bool
    """As above, and it comes before what the object itself holds: a data descriptor."""
    intercepts: bool
    """Every read goes through a `__getattribute__` of the application."""
    improvises: bool
    """Missing names are answered by `__getattr__`."""
    members: tuple[Mapping[str, object], ...]
    fields: tuple[str, ...]
    """Names of the items of a named tuple, in their order; empty for everything else."""
    hidden: Mapping[int, str]
    """Indexes of a named tuple's items that lie under a secret name, and the rule."""
    is_enum: bool
    reading: list[Any] = field(default_factory=list)
    """What the capture has learnt about the class, so that it is forgotten together with it."""
    keeping: list[Any] = field(default_factory=list)
    """As above, of how its instances are kept by value."""

    def find(self, name: str) -> object:
        """Return the class attribute `name` as it lies there, unbound, or `MISSING`."""
        for members in self.members:
            found = members.get(name, MISSING)
            if found is not MISSING:
                return found
        return MISSING


LAYOUTS: dict[int, Layout] = {}
"""What was learnt of classes, by where they lie; `layout_of` says whether it still holds."""


def layout_of(cls: type) -> Layout:
    """Return the layout of `cls`, from the cache when the class is still laid out that way.

    The cache holds the class itself, so an id in it is never used again; a changed
    `__bases__` shows in the identity of the resolution order.
    """
    layout = LAYOUTS.get(identity(cls))
    if layout is not None and layout.cls is cls and layout.order is _mro(cls):
        return layout
    layout = _learn(cls)
    if len(LAYOUTS) >= MAX_LAYOUTS:
        LAYOUTS.clear()
    LAYOUTS[identity(cls)] = layout
    return layout


def forget_layouts() -> None:
    """Let go of every class: an agent that stops keeps nothing of the application alive."""
    LAYOUTS.clear()


def exact(text: Any) -> str:
    """Return the beginning of a `str`, or of a subclass' instance, as an exact `str`.

    Even a class' name can be an instance of a subclass; anything else gives no text.
    """
    if not any(cls is str for cls in _mro(type(text))):
        return ""
    return str.__getitem__(text, slice(MAX_NAME_CHARS))


def _learn(cls: type) -> Layout:
    mro = _mro(cls) or ()  # None while a metaclass is still computing it
    members = tuple(_readable(_members(entry)) for entry in mro)
    base = next((entry for entry in mro if identity(entry) in _BASE_IDS), None)
    overrides = _overrides(members)
    indexes = list(_tuple_fields(members)) if base is tuple else []
    return Layout(
        cls=cls,
        order=mro,
        name=exact(_name(cls)),
        module=_module_of(cls, members[0] if members else {}),
        base=base,
        slots=tuple(_slots(mro, members)),
        namespace=_namespace(members),
        names=tuple(map(_dotted, mro, members)),
        overrides=overrides,
        has_get=any("__get__" in found for found in members),
        has_set=any("__set__" in found or "__delete__" in found for found in members),
        intercepts="__getattribute__" in overrides,
        improvises=any("__getattr__" in found for found in members),
        members=members,
        fields=_field_names(members, dict(indexes)),
        hidden={index: rule for name, index in indexes if (rule := secret_name(name))},
        is_enum=any(entry is enum.Enum for entry in mro),
    )


def _readable(members: Mapping[object, object]) -> Mapping[str, object]:
    """Return a class dictionary that can be looked into by hash.

    One with a key that is no exact string is copied without it, because a lookup would ask
    such a key whether it is equal. A key of that sort can only be there from the beginning:
    setting an attribute makes its name exact.
    """
    items = list(members.items())
    if all(type(key) is str for key, _ in items):
        return members  # type: ignore[return-value]
    return {key: value for key, value in items if type(key) is str}


def _overrides(members: tuple[Mapping[str, object], ...]) -> frozenset[str]:
    """Return the operations whose first definition in the resolution order is not C."""
    kinds: dict[str, int] = {}
    for found in members:
        for name, value in list(found.items()):
            if name.startswith("__") or name in _METHODS:
                kinds.setdefault(name, identity(type(value)))
    return frozenset(name for name, kind in kinds.items() if kind not in _NATIVE_KINDS)


def _slots(
    mro: tuple[type, ...], members: tuple[Mapping[str, object], ...]
) -> Iterator[tuple[str, Getter]]:
    """Yield the slots of the bases first, as a dataclass orders its fields."""
    for found in reversed(members):
        for name, value in list(found.items()):
            if is_slot(value, mro) and not name.startswith("__"):
                yield name, value.__get__


def _tuple_fields(members: tuple[Mapping[str, object], ...]) -> Iterator[tuple[str, int]]:
    """Yield the names under which items of a named tuple can be read, and their indexes.

    The C classes of that sort (`os.struct_passwd`) list theirs in order, if all have a name.
    """
    for found in members:
        for name, value in list(found.items()):
            if type(value) is TUPLE_FIELD:
                yield name, field_index(value)
        names = found.get("__match_args__")
        unnamed = found.get("n_unnamed_fields")
        if type(unnamed) is int and unnamed == 0 and type(names) is tuple:
            for index, name in enumerate(names):
                if type(name) is str and type(found.get(name)) is types.MemberDescriptorType:
                    yield name, index


def field_index(field: object) -> int:
    """Return the index of a named tuple's item that `field`, its class attribute, reads."""
    _, (index, _) = _field_parts(field)
    return int(index)


def _field_names(
    members: tuple[Mapping[str, object], ...], indexes: Mapping[str, int]
) -> tuple[str, ...]:
    """Return what the class says of its fields, if that is what its attributes do."""
    for found in members:
        names = found.get("_fields", found.get("__match_args__"))
        if names is None:
            continue
        if type(names) is not tuple or any(type(name) is not str for name in names):
            return ()
        right = all(indexes.get(name) == index for index, name in enumerate(names))
        return names if right else ()
    return ()


def is_slot(value: object, mro: tuple[type, ...]) -> TypeGuard[types.MemberDescriptorType]:
    """Tell whether `value` only reads memory of the instances that `mro` belongs to.

    Reading a traceback's `tb_frame` tells the audit hooks, which are application code; a slot
    that was borrowed from a foreign class does not fit the instance.
    """
    if type(value) is not types.MemberDescriptorType or value is _TRACEBACK_FRAME:
        return False
    return any(entry is value.__objclass__ for entry in mro)


def _namespace(members: tuple[Mapping[str, object], ...]) -> Getter | None:
    """Return the getter of the instances' own dictionary.

    The C getter of some extension type could do anything, so it must be one that every class
    statement makes (told by its docstring) or one of the interpreter's own.
    """
    for found in members:
        value = found.get("__dict__")
        if type(value) is types.MemberDescriptorType:
            return value.__get__
        if type(value) is types.GetSetDescriptorType and (
            identity(value) in _NATIVE_DICTS or value.__doc__ == _ORDINARY_DICT_DOC
        ):
            return value.__get__
    return None


def _module_of(cls: type, members: Mapping[str, object]) -> str:
    if not _flags(cls) & HEAP_TYPE:
        return exact(_module(cls))
    module = members.get("__module__")
    return module if type(module) is str else ""


def _dotted(cls: type, members: Mapping[str, object]) -> str:
    module = _module_of(cls, members)
    name = exact(_qualname(cls))
    return f"{module}.{name}" if module else name
