"""Whose a thing is that a call hands out: the caller's own argument, the service's, or nobody's
yet. A caller that changes a copy changes nothing else.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any

from leadline.agent.place.parts import Part, is_plain, parts
from leadline.expression.layout import layout_of
from leadline.trial.outcome import UNSHOWN
from leadline.trial.withheld import Withheld, WithheldTouched

MOST_LOOKED = 2_000
"""Objects of the arguments, and of what is handed out: of the rest nobody says whose it is. It
keeps the look at a call short, of which nobody knows how much it leads to; not measured."""
MOST_TOLD = 50
"""One that differs is enough for `unknown`: the others are for whoever reads it."""
_CONTAINERS = (dict, list, set, bytearray, deque)
_NONE = (type, FunctionType, ModuleType, BaseException)
SERVICE = "the service"


class Owned:
    """Knows, from before a call, what is whose."""

    def __init__(self, given: Mapping[str, object], is_known: Callable[[object], bool]) -> None:
        """`is_known` tells whether modules of the service lead to an object."""
        self._is_known = is_known
        self._given: dict[int, tuple[object, str]] = {}
        for name, value in given.items():
            for _, one in _walk("", value):
                self._given.setdefault(id(one), (one, f"argument {name}"))

    def tell(self, roots: Iterable[tuple[str, object]]) -> dict[str, str]:
        """Return, by path, whose that is which lies in what was handed out, if it is anyone's;
        of what belongs to somebody no parts."""
        found: dict[str, str] = {}
        for name, value in roots:
            for path, one in _walk(name, value, self._whose):
                owner = self._whose(one)
                if owner and len(found) < MOST_TOLD:
                    found[f"{UNSHOWN}owner of {path}"] = owner
        return found

    def _whose(self, value: object) -> str:
        given = self._given.get(id(value))
        if given is not None and given[0] is value:
            return given[1]
        return SERVICE if self._is_known(value) else ""


def _walk(
    name: str, value: object, ends: Callable[[object], str] = lambda _: ""
) -> Iterator[Part]:
    """Yield what can be changed, with its path, and nothing beneath what `ends` knows."""
    waiting, met = deque([(name, value)]), {id(value): value}
    while waiting and len(met) < MOST_LOOKED:
        path, one = waiting.popleft()
        if can_change(one):
            yield path, one
            if ends(one):
                continue
        elif not issubclass(type(one), tuple | frozenset):
            continue
        for step, part in _parts(one):
            if not is_plain(part) and id(part) not in met:
                met[id(part)] = part
                waiting.append((path + step, part))


def _parts(value: Any) -> list[Part]:
    try:
        return parts(value) or []
    except (Exception, WithheldTouched):  # noqa: BLE001 - of the application
        return []


def can_change(value: object) -> bool:
    """Tell whether a value is a container or an object, in which something can be set."""
    kind = type(value)
    if kind is Withheld or issubclass(kind, _NONE):
        return False
    layout = layout_of(kind)
    return issubclass(kind, _CONTAINERS) or (
        layout.namespace is not None and not layout.is_enum and not hasattr(kind, "__next__")
    )
