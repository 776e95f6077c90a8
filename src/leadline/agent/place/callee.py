"""What stands between callers and the function that is run: decorators, defaults, overriding.

Calls are made beneath all that, with every argument. So it is told as it is, and where that of
the candidate is another, equal outcomes show nothing.
"""

import inspect
from collections.abc import Mapping
from typing import Any

from leadline.agent.place.entry import Entry, wrappers
from leadline.agent.place.inside import inside
from leadline.trial.outcome import UNSHOWN
from leadline.trial.withheld import Withheld


def between(entry: Entry, given: Mapping[str, object]) -> dict[str, object]:
    """Return it by name, before the call."""
    found = _defaults(entry, given)
    decorators = [one for one in wrappers(entry.outer) if one is not entry.function]
    if decorators:
        name = f"{UNSHOWN}decorators of {entry.function.__qualname__}"
        held = inside({"": decorators}, entry.function)
        found[name] = [[type(one).__qualname__ for one in decorators], held]
    owner, _, method = entry.function.__qualname__.rpartition(".")
    first: object = next(iter(given.values())) if given else None
    if owner and type(first) is not Withheld:
        cls = first if isinstance(first, type) else type(first)
        met = inspect.getattr_static(cls, method, None)
        beneath = next(iter(reversed(wrappers(met))), None)
        found[f"{UNSHOWN}{method} of {cls.__qualname__}"] = _name(beneath)
    return found


def _defaults(entry: Entry, given: Mapping[str, object]) -> dict[str, object]:
    function = entry.function
    plain = function.__code__.co_varnames[: function.__code__.co_argcount]
    last = function.__defaults__ or ()
    values: dict[str, Any] = dict(zip(plain[len(plain) - len(last) :], last, strict=True))
    values |= function.__kwdefaults__ or {}
    return {
        f"{UNSHOWN}default of {name}": values.get(name, "(none)")
        for name in given
        if name in entry.parameters
    }


def _name(value: object) -> str:
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"
