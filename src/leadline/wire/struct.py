"""Dataclasses that cost a process next to nothing until they are used.

The standard library's write six methods for each class and compile them when the module is
imported: 40 ms for ours, and `inspect` and `ast` beside. In somebody else's process, and at the
start of each command, that is most of the time. These say the same and mean the same; the
`__init__` is compiled when the first object is made, everything else is shared, and what other
libraries read of a dataclass is there when it is asked for. Type checkers see the real ones.

Only what we use is here: slots always, no fields of a base class, no class variables.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import asdict, dataclass, field, replace
else:
    _MISSING = object()
    _waiting: list[type] = []
    """Classes of which no object was made yet, so that nothing is compiled."""

    class _Field:
        """What `field` says of one member."""

        __slots__ = ("compare", "default", "factory", "repr")

        def __init__(self, default: object, factory: object, repr: bool, compare: bool):  # noqa: A002
            self.default = default
            self.factory = factory
            self.repr = repr
            self.compare = compare

    def field(
        *,
        default: object = _MISSING,
        default_factory: object = _MISSING,
        repr: bool = True,  # noqa: A002 - as the standard library calls it
        compare: bool = True,
    ) -> Any:
        """As `dataclasses.field`."""
        return _Field(default, default_factory, repr, compare)

    def dataclass(
        *,
        frozen: bool = False,
        slots: bool = True,
        eq: bool = True,
        repr: bool = True,  # noqa: A002
    ) -> Callable[[type], type]:
        """As `dataclasses.dataclass`."""
        if not slots:
            raise TypeError("these dataclasses have slots")

        def decorate(plain: type) -> type:
            return _made(plain, frozen=frozen, eq=eq, shown=repr)

        return decorate

    def replace(struct: Any, /, **changes: Any) -> Any:
        """As `dataclasses.replace`."""
        cls = type(struct)
        for name in cls.__match_args__:
            if name not in changes:
                changes[name] = getattr(struct, name)
        return cls(**changes)

    def asdict(struct: Any) -> dict[str, Any]:
        """As `dataclasses.asdict`, for members that are structs, lists, tuples and dicts."""
        return {name: _plain(getattr(struct, name)) for name in struct.__match_args__}

    def _plain(value: Any) -> Any:
        kind = type(value)
        if kind is dict:
            return {key: _plain(one) for key, one in value.items()}
        if kind is list or kind is tuple:
            return kind(map(_plain, value))
        return asdict(value) if is_struct(value) else value

    def _made(plain: type, *, frozen: bool, eq: bool, shown: bool) -> type:
        names = tuple(plain.__annotations__)
        members = dict(plain.__dict__)
        fields = {}
        for name in names:
            said = members.pop(name, _MISSING)
            if type(said) is not _Field:
                said = _Field(said, _MISSING, True, True)
            fields[name] = said
        for own in ("__dict__", "__weakref__"):
            members.pop(own, None)
        members |= {
            "__match_args__": names,
            "__init__": _first,
            "__dataclass_fields__": _Described(),
            "_struct": fields,
        }
        if shown:
            members["__repr__"] = _repr
        if eq:
            compared = [name for name in names if fields[name].compare]
            members["_compared"] = staticmethod(attrgetter(*compared) if compared else type)
            members["__eq__"] = _eq
            members["__hash__"] = _hash if frozen else None
        if frozen:
            members |= {
                "__setattr__": _refuse,
                "__delattr__": _refuse,
                "__getstate__": _getstate,
                "__setstate__": _setstate,
            }
        inherited = {
            slot for base in plain.__mro__[1:] for slot in base.__dict__.get("__slots__", ())
        }
        members["__slots__"] = tuple(name for name in names if name not in inherited)
        made = type(plain)(plain.__name__, plain.__bases__, members)
        _waiting.append(made)
        return made

    def _first(struct: Any, /, *args: Any, **kwargs: Any) -> None:
        """Stands for `__init__` until it is called."""
        _compile(type(struct))
        struct.__init__(*args, **kwargs)

    def _compile(cls: type) -> None:
        scope: dict[str, Any] = {"__name__": cls.__module__, "_missing": _MISSING}
        parameters, lines = [], []
        for number, (name, said) in enumerate(cls._struct.items()):
            scope[f"_set{number}"] = getattr(cls, name).__set__
            scope[f"_default{number}"] = said.default
            value, parameter = name, f"{name}=_default{number}"
            if said.factory is not _MISSING:
                scope[f"_make{number}"] = said.factory
                value = f"_make{number}() if {name} is _missing else {name}"
            elif said.default is _MISSING:
                parameter = name
            parameters.append(parameter)
            lines.append(f"    _set{number}(self, {value})")
        if "__post_init__" in cls.__dict__:
            lines.append("    self.__post_init__()")
        head = f"def __init__({', '.join(['self', *parameters])}):"
        exec("\n".join([head, *(lines or ["    pass"])]), scope)  # noqa: S102 - our own text
        init = scope["__init__"]
        init.__qualname__ = f"{cls.__qualname__}.__init__"
        type.__setattr__(cls, "__init__", init)

    class _Described:
        """What the standard library and msgspec read of a dataclass, made when they ask."""

        def __get__(self, _struct: Any, cls: type) -> dict[str, Any]:
            import dataclasses  # noqa: PLC0415 - what this module is there to avoid

            plain: dict[str, Any] = {
                "__annotations__": cls.__annotations__,
                "__module__": cls.__module__,
            }
            for name, said in cls._struct.items():
                given = {"repr": said.repr, "compare": said.compare}
                if said.default is not _MISSING:
                    given["default"] = said.default
                if said.factory is not _MISSING:
                    given["default_factory"] = said.factory
                plain[name] = dataclasses.field(**given)
            shadow = dataclasses.dataclass(type(cls.__name__, (), plain))
            fields: dict[str, Any] = shadow.__dataclass_fields__
            type.__setattr__(cls, "__dataclass_fields__", fields)
            return fields

    def _repr(struct: Any) -> str:
        cls = type(struct)
        shown = (
            f"{name}={getattr(struct, name)!r}"
            for name in cls._struct
            if cls._struct[name].repr
        )
        return f"{cls.__qualname__}({', '.join(shown)})"

    def _eq(one: Any, other: object) -> Any:
        if type(other) is not type(one):
            return NotImplemented
        compared = one._compared  # noqa: SLF001 - made above
        return compared(one) == compared(other)

    def _hash(struct: Any) -> int:
        return hash((struct._compared(struct),))  # noqa: SLF001 - made above

    def _refuse(struct: Any, name: str, *_: object) -> None:
        raise AttributeError(f"{type(struct).__name__} is frozen: {name!r} stays as it is")

    def _getstate(struct: Any) -> list[Any]:
        return [getattr(struct, name) for name in struct.__match_args__]

    def _setstate(struct: Any, state: list[Any]) -> None:
        for name, value in zip(struct.__match_args__, state, strict=True):
            object.__setattr__(struct, name, value)


def is_struct(value: object) -> bool:
    """Whether `value` is an object of one of these classes."""
    return hasattr(type(value), "_struct")


def members(value: Any) -> dict[str, Any]:
    """Return the members of a struct as they are, one level deep."""
    return {name: getattr(value, name) for name in value.__match_args__}


def prepare(*classes: type) -> None:
    """Compile what is still to be compiled, of all or of these: on a thread of the application
    nothing may be, and copies of a process would each do it anew."""
    if not TYPE_CHECKING:
        waiting = list(classes) or _waiting
        while waiting:
            cls = waiting.pop()
            if cls.__dict__["__init__"] is _first:
                _compile(cls)


__all__ = ["asdict", "dataclass", "field", "is_struct", "members", "prepare", "replace"]
