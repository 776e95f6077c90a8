"""Objects of a live process that cannot be written down, found again in a twin of it.

Each gets a number, and a weak reference to it is kept under that, in a table that the twin has
because it is a copy. A weak reference is made without a line of the application, and does not
make its object live longer. What has none is found by way of what holds it: the connection of
a store, whose attribute it is.
"""

import itertools
import os
from _weakref import ref
from typing import Any

MOST = 20_000
"""References that are kept, the newest ones: about 3 MB."""
MAX_WAY = 4
"""Steps from what is referred to to what is meant."""
ATTRIBUTE, ITEM, KEY = "a", "i", "p"
NOTHING = object()

type Way = list[list[Any]]
"""Steps, each a kind and a name, a position or a key."""


class _Table:
    """One per process. A forked child has one of its own, or numbers of two processes would
    be the same; a twin is no such child, and has the one of its process.

    Several threads write here at once, and none waits: each number belongs to one of them.
    """

    __slots__ = ("next", "numbers", "pid", "slots", "token")

    def __init__(self) -> None:
        self.begin(0)

    def begin(self, pid: int) -> None:
        """Forget all, as the process of that number."""
        self.pid = pid
        self.token = os.urandom(8).hex() if pid else ""
        self.next = itertools.count(1).__next__
        self.slots: list[tuple[int, int, Any] | None] = [None] * (MOST if pid else 0)
        self.numbers: dict[int, int] = {}

    def get(self, number: int) -> Any:
        """Return the object of a number; None where it is gone, or its number is too old."""
        slot = self.slots[number % len(self.slots)] if self.slots else None
        return slot[2]() if slot is not None and slot[0] == number else None


_table = _Table()
_has_references: Any = vars(type)["__weakrefoffset__"].__get__
"""Where instances of a class have room for them; 0 where they have none."""


def table() -> tuple[list[Any], dict[int, int], str]:
    """Return what our extension looks up numbers in: references, numbers and the token."""
    _begin()
    return _table.slots, _table.numbers, _table.token


def _begin() -> None:
    pid = os.getpid()
    if pid != _table.pid:
        _table.begin(pid)


def referred(value: object) -> int | None:
    """Return the number of an object; None for one that cannot be referred to weakly."""
    if not _has_references(type(value)):
        return None
    _begin()
    key = id(value)
    known = _table.numbers.get(key)
    if known is not None and _table.get(known) is value:
        return known
    try:
        made = ref(value)
    except TypeError:
        return None
    number = _table.next()
    at = number % len(_table.slots)
    before, _table.slots[at] = _table.slots[at], (number, key, made)
    if before is not None and _table.numbers.get(before[1]) == before[0]:
        _table.numbers.pop(before[1], None)
    _table.numbers[key] = number
    return number


def mark(number: int, way: Way) -> list[Any]:
    """Return what a node says of an object that is found at the end of a way."""
    return [_table.token, number, way] if way else [_table.token, number]


def found(token: object, number: object, way: Way = ()) -> Any:  # type: ignore[assignment]
    """In a twin: return the object that is meant, or `NOTHING` where that is no more."""
    if token != _table.token or type(number) is not int:
        return NOTHING
    value = _table.get(number)
    if value is None:
        return NOTHING
    try:
        for kind, at in way:
            value = getattr(value, at) if kind == ATTRIBUTE else value[at]
    except Exception:  # noqa: BLE001 - it is not there any more
        return NOTHING
    return value


def step_to(node: Any, at: int) -> list[Any] | None:
    """Return the step from what a node stands for to what another one does."""
    for part in ("a", "s"):
        for name, held in node.get(part, {}).items():
            if held == [at]:
                return [ATTRIBUTE, name]
    if node["k"] in ("list", "tuple", "deque"):
        for index, held in enumerate(node.get("i", ())):
            if held == [at]:
                return [ITEM, index]
    for key, held in node.get("p", ()):
        if held == [at] and type(key) in (str, int):
            return [KEY, key]
    return None
