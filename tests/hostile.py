"""The hostile zoo: objects whose every question is answered by code, and that code tells.

Whatever looks at these objects without running application code leaves `calls` empty.
`zoo()` builds fresh objects and clears `calls` last, because building them runs their code.
"""

import array
import asyncio
import concurrent.futures
import datetime
import decimal
import enum
import fractions
import functools
import operator
import pathlib
import types
import uuid
import warnings
import zoneinfo
from collections import (
    ChainMap,
    Counter,
    OrderedDict,
    UserDict,
    defaultdict,
    deque,
    namedtuple,
)
from collections.abc import Callable

calls: list[str] = []
"""What was run, as `Class.method`, in order."""

_OPERATIONS = """
    __repr__ __str__ __bytes__ __format__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __hash__
    __bool__ __len__ __iter__ __next__ __reversed__ __contains__ __getitem__
    __setitem__ __delitem__ __missing__ __getattr__ __setattr__ __delattr__ __dir__ __call__
    __add__ __radd__ __sub__ __rsub__ __mul__ __rmul__ __truediv__ __rtruediv__ __floordiv__
    __rfloordiv__ __mod__ __rmod__ __divmod__ __rdivmod__ __pow__ __rpow__ __matmul__
    __rmatmul__ __and__ __rand__ __or__ __ror__ __xor__ __rxor__ __lshift__ __rlshift__
    __rshift__ __rrshift__ __iadd__ __isub__ __imul__ __itruediv__ __ifloordiv__ __imod__
    __ipow__ __imatmul__ __iand__ __ior__ __ixor__ __ilshift__ __irshift__ __neg__ __pos__
    __abs__ __invert__ __int__ __float__
    __complex__ __index__ __round__ __trunc__ __floor__ __ceil__ __enter__ __exit__
    __await__ __aiter__ __anext__ __aenter__ __aexit__ __get__ __set__ __delete__ __set_name__
    __buffer__ __fspath__ __reduce__ __reduce_ex__ __getstate__ __setstate__
    __getnewargs__ __getnewargs_ex__ __sizeof__ __copy__ __deepcopy__ __replace__
    __instancecheck__ __subclasscheck__ __subclasshook__ __class_getitem__ __mro_entries__
    __length_hint__
"""
OPERATIONS = _OPERATIONS.split()
"""`__getattribute__` is on creatures of its own, because it hides all the others."""
BEFORE_AND_AFTER = frozenset(
    "__new__ __init__ __init_subclass__ __prepare__ __release_buffer__ __del__".split()
)
"""What runs when something is made or goes, which is the application's own doing."""

TEXT_METHODS = ["startswith", "endswith", "lower", "encode", "keys", "items", "get", "values"]


def _telling(owner: str, name: str, result: Callable[..., object]) -> Callable[..., object]:
    def method(*args: object, **kwargs: object) -> object:
        calls.append(f"{owner}.{name}")
        return result(*args, **kwargs)

    return method


def _answer(name: str) -> Callable[..., object]:
    """Return what the method gives back: something that would make the caller go on."""
    results = {
        "__repr__": "r",
        "__str__": "s",
        "__format__": "f",
        "__bytes__": b"b",
        "__hash__": 7,
        "__len__": 3,
        "__length_hint__": 3,
        "__index__": 1,
        "__int__": 1,
        "__float__": 1.0,
        "__complex__": 1j,
        "__sizeof__": 64,
        "__iter__": iter(()),
        "__dir__": [],
        "__setattr__": None,
        "__init__": None,
        "__subclasshook__": NotImplemented,
    }
    if name == "__buffer__":
        return lambda *_: memoryview(b"abc")  # a new one each time, because it is released
    return lambda *_, **__: results.get(name, True)


def members(owner: str, names: list[str]) -> dict[str, object]:
    """Return a class body in which every one of `names` tells that it ran."""
    body: dict[str, object] = {
        name: _telling(owner, name, _answer(name)) for name in names if name != "__new__"
    }
    body["total"] = property(_telling(owner, "total", lambda _: 5))
    body["__class__"] = property(_telling(owner, "__class__", lambda _: int))
    return body


class EvilMeta(type):
    """A metaclass that answers every question about its classes with code."""

    def __getattribute__(cls, name: str) -> object:
        calls.append(f"EvilMeta.__getattribute__ {name}")
        return type.__getattribute__(cls, name)

    def __call__(cls, *args: object, **kwargs: object) -> object:
        calls.append("EvilMeta.__call__")
        return type.__call__(cls, *args, **kwargs)

    def mro(cls) -> list[type]:
        calls.append("EvilMeta.mro")
        return type.mro(cls)


for _name in ("__eq__", "__ne__", "__hash__", "__repr__", "__str__", "__len__", "__bool__",
              "__iter__", "__contains__", "__getitem__", "__instancecheck__",
              "__subclasscheck__", "__subclasses__", "__or__", "__dir__", "__lt__",
              "__getattr__"):  # fmt: skip
    setattr(EvilMeta, _name, _telling("EvilMeta", _name, _answer(_name)))


class Telling:
    """A data descriptor of the application."""

    def __get__(self, obj: object, owner: object = None) -> object:
        calls.append("Telling.__get__")
        return 5

    def __set__(self, obj: object, value: object) -> None:
        calls.append("Telling.__set__")


class Lazy:
    """A descriptor that comes after what the object itself holds."""

    def __get__(self, obj: object, owner: object = None) -> object:
        calls.append("Lazy.__get__")
        return 5


class Colliding:
    """A key with the hash of "k", "name" or 1, whatever it is compared with next."""

    def __init__(self, hashed: object) -> None:
        self.hashed = hash(hashed)

    def __hash__(self) -> int:
        calls.append("Colliding.__hash__")
        return self.hashed

    def __eq__(self, other: object) -> bool:
        calls.append("Colliding.__eq__")
        return False


class Described:
    telling = Telling()
    lazy = Lazy()
    plain = 11

    def __init__(self) -> None:
        self.name = "described"
        self.__dict__["telling"] = 3


class Slotted:
    __slots__ = ("empty", "name")
    __hash__ = None

    def __init__(self) -> None:
        self.name = "slotted"

    def __eq__(self, other: object) -> bool:
        calls.append("Slotted.__eq__")
        return True


class Intercepting:
    def __init__(self) -> None:
        self.name = "intercepting"

    def __getattribute__(self, name: str) -> object:
        calls.append(f"Intercepting.__getattribute__ {name}")
        return 5


class HiddenDict:
    """Its `__dict__` is a property."""

    def __init__(self) -> None:
        object.__setattr__(self, "name", "hidden")

    @property
    def __dict__(self) -> dict[str, object]:
        calls.append("HiddenDict.__dict__")
        return {"name": "wrong"}


class HostileNamespace:
    """Its instance dictionary has keys that are no strings and collide with names."""

    def __init__(self) -> None:
        self.__dict__[Colliding("name")] = 1
        self.__dict__[Colliding("missing")] = 1
        self.name = "namespace"


def _hostile_class() -> type:
    """Return a class with members whose names are no strings and collide with names."""
    body = {Colliding("name"): 1, Colliding("missing"): 1, "name": "class", "k": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # from 3.13 on Python warns, and allows it
        return type("HostileClass", (), body)


class EvilKind(metaclass=EvilMeta):
    def __init__(self) -> None:
        self.name = "kind"


Pair = namedtuple("Pair", "name k")


def _subclass(base: type, *args: object) -> object:
    owner = f"Evil{base.__name__.capitalize()}"
    names = [*OPERATIONS, *TEXT_METHODS, "__getattribute__"]
    return type(owner, (base,), members(owner, names))(*args)


def every(name: str) -> object:
    """Return an object whose class, called `name`, defines every operation."""
    return type(name, (), members(name, OPERATIONS))()


def zoo() -> dict[str, object]:
    """Return one fresh animal of each sort, by name; `calls` is empty afterwards."""
    cycle: list[object] = []
    cycle.append(cycle)
    default: defaultdict[str, object] = defaultdict(_telling("defaultdict", "factory", dict))
    default["a"] = 1
    animals = {
        "every_operation": every("Every"),
        "described": Described(),
        "slotted": Slotted(),
        "intercepting": Intercepting(),
        "hidden_dict": HiddenDict(),
        "hostile_namespace": HostileNamespace(),
        "hostile_class": _hostile_class()(),
        "kind": EvilKind(),
        "evil_class": EvilKind,
        "bound_method": EvilKind().__init__,
        "dict_subclass": _subclass(dict, {"k": 1, "name": 2}),
        "ordered_subclass": _subclass(OrderedDict, {"k": 1}),
        "list_subclass": _subclass(list, [1, 2, 3]),
        "tuple_subclass": _subclass(tuple, (1, 2, 3)),
        "set_subclass": _subclass(set, {1, 2}),
        "frozenset_subclass": _subclass(frozenset, {1, 2}),
        "str_subclass": _subclass(str, "text"),
        "bytes_subclass": _subclass(bytes, b"text"),
        "int_subclass": _subclass(int, 5),
        "float_subclass": _subclass(float, 5.0),
        "user_dict": UserDict(k=1),
        "default_dict": default,
        "colliding_dict": {Colliding("k"): 1, Colliding(1): 2, "k": 3},
        "colliding_only": {Colliding("k"): 1, Colliding("name"): 1, Colliding(1): 2},
        "colliding_set": {Colliding("k"), Colliding(1)},
        "list_of_evil": [every("Inner"), Slotted(), EvilKind],
        "pair_of_evil": Pair(EvilKind(), Slotted()),
        "lying_pair": type("LyingPair", (Pair,), {
            "_fields": (every("Field"), every("Field")),
            "__match_args__": every("Names"),
            "n_unnamed_fields": every("Number"),
        })(EvilKind(), 1),
        "exception": ValueError(EvilKind()),
        "generator": (calls.append("generator") for _ in range(3)),
        "function": _telling("function", "call", operator.truth),
        "cycle": cycle,
    }  # fmt: skip
    calls.clear()
    return animals


class EvilZone(datetime.tzinfo):
    """A time zone of the application: formatting a datetime asks it."""

    def utcoffset(self, moment: object) -> datetime.timedelta:
        calls.append("EvilZone.utcoffset")
        return datetime.timedelta(hours=1)

    dst = tzname = utcoffset


class EvilEnumMeta(enum.EnumMeta):
    """As `EvilMeta`, for enums; it behaves while the class is made."""

    armed = False

    def __getattribute__(cls, name: str) -> object:
        if EvilEnumMeta.armed:
            calls.append(f"EvilEnumMeta.__getattribute__ {name}")
        return super().__getattribute__(name)


class EvilMember(enum.Enum, metaclass=EvilEnumMeta):
    RED = 1

    def __repr__(self) -> str:
        calls.append("EvilMember.__repr__")
        return "r"

    __str__ = __format__ = __repr__

    @property
    def name(self) -> str:
        calls.append("EvilMember.name")
        return "n"

    value = name


EvilEnumMeta.armed = True


def evil(base: type, *args: object, **kwargs: object) -> object:
    """Return an instance of a subclass of `base` that answers everything with code."""
    owner = f"Evil{base.__name__}"
    names = [*OPERATIONS, *TEXT_METHODS, "isoformat", "utcoffset", "as_tuple", "total_seconds",
             "as_posix", "__fspath__", "result", "exception", "get_name", "tolist"]  # fmt: skip
    body = members(owner, [*names, "__getattribute__"])
    made = type(owner, (base,), {"__class__": body.pop("__class__")})
    one = made(*args, **kwargs)
    for name, value in body.items():  # now that it has been made
        setattr(made, name, value)
    return one


def named_zoo() -> dict[str, object]:
    """Return animals that pass for what has a readable form, or hide within such a thing."""
    loop = asyncio.new_event_loop()
    future = evil(asyncio.Future, loop=loop)
    asyncio.Future.set_result(future, every("Result"))
    waiting = evil(concurrent.futures.Future)
    error = evil(ValueError, every("Argument"))
    BaseException.__setattr__(error, "__notes__", [evil(str, "note")])
    BaseException.__setattr__(error, "__cause__", evil(KeyError, EvilKind()))
    decent = ValueError("x")
    decent.__context__ = evil(OSError, 2, "evil")
    pretender = type("ndarray", (), {**members("ndarray", OPERATIONS), "__module__": "numpy"})
    frame = type("DataFrame", (), {**members("DataFrame", OPERATIONS), "__module__": "pandas"})
    utc = datetime.UTC
    animals = {
        "datetime": evil(datetime.datetime, 2026, 1, 2, tzinfo=EvilZone()),
        "datetime in a zone": datetime.datetime(2026, 1, 2, tzinfo=EvilZone()),
        "date": evil(datetime.date, 2026, 1, 2),
        "time": evil(datetime.time, 1, 2, tzinfo=EvilZone()),
        "timedelta": evil(datetime.timedelta, 1),
        "timezone": datetime.timezone(evil(datetime.timedelta, hours=1), "X"),
        "zoneinfo": evil(zoneinfo.ZoneInfo, "UTC"),
        "decimal": evil(decimal.Decimal, "1.50"),
        "fraction": evil(fractions.Fraction, 1, 2),
        "uuid": evil(uuid.UUID, int=5),
        "path": evil(pathlib.PurePosixPath, "/a", "b"),
        "windows path": evil(pathlib.PureWindowsPath, "c:/a"),
        "complex": evil(complex, 1, 2),
        "member": EvilMember.RED,
        "deque": evil(deque, [1, 2], 3),
        "defaultdict": evil(defaultdict, every("Factory"), a=1),
        "counter": evil(Counter, "aab"),
        "chain": evil(ChainMap, {"a": evil(dict, b=1)}),
        "proxy": types.MappingProxyType(evil(dict, a=1)),
        "proxy of no dict": types.MappingProxyType(evil(UserDict, a=1)),
        "keys": dict.keys(evil(dict, a=1)),
        "namespace": evil(types.SimpleNamespace, a=EvilKind()),
        "module": evil(types.ModuleType, "evil"),
        "partial": evil(functools.partial, print, EvilKind()),
        "method": types.MethodType(every("Called"), EvilKind()),
        "builtin of an evil class": list.append.__get__(evil(list, [1])),
        "array": evil(array.array, "i", [1, 2]),
        "view": memoryview(evil(bytes, b"abc")),
        "slice": slice(EvilKind(), every("Stop")),
        "error": error,
        "error with a context": decent,
        "future": future,
        "waiting future": waiting,
        "passes for numpy": pretender(),
        "passes for pandas": frame(),
        "aware": datetime.datetime(2026, 1, 2, tzinfo=utc),
    }
    loop.close()
    calls.clear()
    return animals
