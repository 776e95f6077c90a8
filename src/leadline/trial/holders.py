"""The function objects of a process that run a certain code, wherever decorators put them.

Function objects are told by the code that they were made with: a name may have been bound to
anything since, and what a framework keeps under another name is the same object.
"""

import functools
import gc
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import CodeType, FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any

MAX_SEEN = 20_000
"""Objects that are looked at from one name on: an application's registry has fewer between
the name and the function, and a whole heap has more."""


def same_code(one: CodeType, other: CodeType) -> bool:
    """Whether two codes were compiled from the same text at the same place."""
    return one is other or (
        (one.co_firstlineno == other.co_firstlineno) and shape(one) == shape(other)
    )


def shape(code: CodeType) -> tuple[object, ...]:
    """Return all that a code does, without where it stands."""
    return (
        code.co_qualname,
        code.co_code,
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_cellvars,
        code.co_flags,
        code.co_argcount,
        code.co_posonlyargcount,
        code.co_kwonlyargcount,
        code.co_exceptiontable,
        tuple(map(_constant, code.co_consts)),
    )


def _constant(one: object) -> object:
    """Return a constant as it can be compared: `1` is not `True`, and a set has no order."""
    if isinstance(one, CodeType):
        return shape(one)
    if isinstance(one, tuple):
        return tuple(map(_constant, one))
    if isinstance(one, frozenset):
        return frozenset(map(_constant, one))
    return type(one), repr(one)


def is_class(one: object) -> bool:
    """Whether an object is a class. A proxy that says so of itself is none."""
    return issubclass(type(one), type)


def namespace_of(one: object) -> Mapping[str, Any]:
    """Return the dictionary of an object without asking the object; empty if it has none."""
    try:
        found = type.__dict__["__dict__"].__get__(one) if is_class(one) else None
        if found is None:
            found = object.__getattribute__(one, "__dict__")
    except Exception:  # noqa: BLE001 - a proxy of its own kind
        return {}
    return found if isinstance(found, Mapping) else {}


def codes_in(code: CodeType) -> Iterator[CodeType]:
    """Yield all codes inside a code, not this itself."""
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield one
            yield from codes_in(one)


def find(start: object, wanted: Callable[[CodeType], bool]) -> tuple[FunctionType, list[Any]]:
    """Return the nearest function behind `start` whose code is wanted, and the caches that
    were met. Raises `LookupError` where there is none.

    What holds what is asked of the garbage collector, so that no code of anybody runs.
    """
    waiting: deque[object] = deque([start])
    seen: dict[int, object] = {}
    caches: list[Any] = []
    while waiting and len(seen) < MAX_SEEN:
        one = waiting.popleft()
        if id(one) in seen or issubclass(type(one), _CLOSED):
            continue
        seen[id(one)] = one
        if type(one) is functools._lru_cache_wrapper:  # noqa: SLF001 - has no other name
            caches.append(one)
        if type(one) is FunctionType:
            if wanted(one.__code__):
                return one, caches
            waiting += (one.__dict__, *(one.__closure__ or ()))
        elif not (type(one) is dict and "__builtins__" in one):
            waiting += gc.get_referents(one)
    raise LookupError


def behind(start: object) -> Iterator[FunctionType]:
    """Yield the functions that something calls by the look of it: what decorators were given,
    over and over, through closures, `__wrapped__` and what stands for a function. What a
    cache holds is not looked into."""
    waiting: deque[object] = deque([start])
    seen: dict[int, object] = {}
    while waiting and len(seen) < MAX_SEEN:
        one = waiting.popleft()
        if id(one) in seen or is_class(one) or issubclass(type(one), _CLOSED):
            continue
        seen[id(one)] = one
        held = [*namespace_of(one).values()]
        if type(one) is FunctionType:
            yield one
            for cell in one.__closure__ or ():
                held += gc.get_referents(cell)
        elif issubclass(type(one), _OF_C):
            held += gc.get_referents(one)
        elif (called := _called(one)) is not None:
            held.append(called)
        waiting += filter(_stands_for_one, held)


def _called(one: object) -> FunctionType | None:
    """Return what runs when an object is called, if its class says so in Python."""
    classes: tuple[type, ...] = type.__dict__["__mro__"].__get__(type(one))
    found = (namespace_of(cls).get("__call__") for cls in classes)
    called = next((held for held in found if held is not None), None)
    return called if type(called) is FunctionType else None


def _stands_for_one(held: object) -> bool:
    kind = type(held)
    if kind is FunctionType or issubclass(kind, (*_OF_C, *_IN_PYTHON)):
        return True
    return not is_class(held) and ("__wrapped__" in namespace_of(held) or bool(_called(held)))


_OF_C = (
    *(functools.partial, MethodType, staticmethod, classmethod, property),
    functools._lru_cache_wrapper,  # noqa: SLF001 - has no other name
)
_IN_PYTHON = (functools.partialmethod, functools.cached_property)
_CLOSED = (ModuleType, CodeType, str, bytes, int, float, type(None))
"""What no function is behind; a module has all of them."""


def living(codes: Iterable[CodeType]) -> dict[int, list[FunctionType]]:
    """Return the function objects that run each of `codes`, by the identity of the code.

    Looks at every object of the process: only in a copy of it, where nobody waits.
    """
    wanted = {id(code): code for code in codes}
    found: dict[int, list[FunctionType]] = {key: [] for key in wanted}
    if not wanted:
        return found
    if gc.get_freeze_count():
        gc.unfreeze()  # a server that forks its workers hides what it had made before
    for one in gc.get_objects():
        if type(one) is FunctionType and id(one.__code__) in wanted:
            found[id(one.__code__)].append(one)
    return found


_PLAIN = {
    id(one) for one in (dict, list, tuple, set, frozenset, FunctionType, ModuleType, CodeType)
}
"""By their ids: a metaclass of the application may compare as it likes."""


def living_attributes() -> dict[str, dict[int, type]]:
    """Return the classes whose objects have an attribute of their own, by its name and their
    ids; for attributes of a class itself that.

    Looks at every object of the process: only in a copy of it, where nobody waits.
    """
    if gc.get_freeze_count():
        gc.unfreeze()  # a server that forks its workers hides what it had made before
    found: dict[str, dict[int, type]] = {}
    slots: dict[int, tuple[type, list[str]]] = {}

    def add(cls: type, names: Iterable[object]) -> None:
        for name in names:
            if type(name) is str:
                found.setdefault(name, {})[id(cls)] = cls

    for one in gc.get_objects():
        cls = type(one)
        if id(cls) in _PLAIN:
            continue
        if is_class(one):
            names = list(namespace_of(one).items())
            add(one, (name for name, held in names if type(held) is not FunctionType))
            continue
        if id(cls) not in slots:
            named = [name for base in type.__dict__["__mro__"].__get__(cls)
                     for name, held in list(namespace_of(base).items())
                     if type(held) is MemberDescriptorType]  # fmt: skip
            slots[id(cls)] = cls, named
            add(cls, named)
        add(cls, list(namespace_of(one)))
    return found
