"""What runs tell by path beside their outcomes: the state of the service's modules, what an
outcome holds and does not show, and of what nothing can be said.

A path of state begins with `module:name`; the name may be the candidate's own, and a key in it
may be made up anew in each run.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from leadline.trial.accident import without_chance
from leadline.trial.outcome import UNSHOWN
from leadline.trial.place import (
    BEGAN,
    GIVEN,
    HANDED,
    IN_TWIN,
    LATE,
    LATER,
    OF_LIBRARY,
    ONCE,
    OPENED,
    UNCOMPARED,
    UNMOVED,
    WRITTEN,
    Ran,
)
from leadline.wire.value import Value

_STATE = re.compile(
    rf"(?:argument |{UNCOMPARED}|the \w+ of |bytes of |(?:order|type|list|copy|cached)\()*"
    r"([\w.]+):(\w+)(?:\.(\w+))?"
)
_OF_FUNCTION = re.compile(
    r"(?:(?:order|type|list|copy)\()*([\w.]+):([\w.]+)\((?:closure\)\.(\w+)|default [^)]*\))"
)
"""A path to what a function keeps: under a name of its closure, or in a default."""
_NAME = re.compile(r"\w+")
_ONCE = re.compile(rf"{re.escape(ONCE)}[^)]*\)")
_DIGEST = re.compile(r" #[0-9a-f]{16}\Z")
_DEEPER = re.compile(r"\][.\[{(]")
_WHOLE = f"{UNSHOWN}whole of "
_TOLD_ONLY = (UNCOMPARED, BEGAN, HANDED)


def comparable(said: Mapping[str, Value]) -> dict[str, Value]:
    """Return what was told without that of which nothing can be said."""
    return {name: one for name, one in said.items() if not name.startswith(_TOLD_ONLY)}


def without_caches(*sides: Mapping[str, Value]) -> list[dict[str, Value]]:
    """Return several states without the values of cached properties that not all of them have:
    whoever asks for one next finds it, or reckons the same."""
    kept = [{found[0] for name in side if (found := _ONCE.search(name))} for side in sides]
    common = set.intersection(*kept)
    return [
        {
            name: one
            for name, one in side.items()
            if (found := _ONCE.search(name)) is None or found[0] in common
        }
        for side in sides
    ]


def cached_in(is_own: Callable[[str], bool], state: Mapping[str, Value]) -> list[str]:
    """Return what a candidate keeps of what it has reckoned, under names of its own."""
    return [
        name.removeprefix(ONCE).removesuffix(")")
        for name in state
        if name.startswith(ONCE) and begins_at(is_own, name)
    ]


def moved_on(first: Ran, *others: Ran) -> str:
    """Return what the runs did not all find alike: what they came to may differ for that."""
    for other in others:
        for name, found in first.state.items():
            if name.startswith(BEGAN) and other.state.get(name, found) != found:
                what = name.removeprefix(BEGAN)
                said = f"{what} did not hold the same when the runs began"
                return in_fresh(first, said)
    return ""


def moved_database(runs: Iterable[Ran]) -> str:
    """Return the first database that runs have asked and that may have been written since
    their calls began; nothing where there is none."""
    for run in runs:
        for name in run.state:
            is_one = name.startswith(BEGAN) and name not in (OPENED, LATER)
            if (
                is_one
                and not name.endswith((UNMOVED, WRITTEN))
                and f"{name}{UNMOVED}" not in run.state
            ):
                return name.removeprefix(BEGAN)
    return ""


def in_fresh(ran: Ran, reason: str) -> str:
    """Return a reason, and where more may be known; there, the arguments are no copies."""
    return f"{reason}: {IN_TWIN}" if ran.given is not None else reason


def imported(*runs: Ran | None) -> Iterator[str]:
    """Yield the modules of the service that runs have imported."""
    for ran in runs:
        for name, why in ran.state.items() if ran is not None else ():
            if why == LATE:
                yield name.removeprefix(UNCOMPARED).removesuffix(":")


def uncompared(first: Ran, second: Ran, candidate: Ran) -> str:
    """Return what it is of which nothing can be said, and why."""
    for ran in (candidate, first):
        for name, why in {**ran.inside, **ran.state}.items():
            if name.startswith(UNCOMPARED):
                what = named(name.removeprefix(UNCOMPARED))
                return in_fresh(first, f"what {what} holds {why}")
    others = {**second.inside, **second.state}
    for name, one in {**first.inside, **first.state}.items():
        if _is_digest(name, one) and others.get(name, one) != one:
            said = f"what {named(name)} holds differs by itself, and is told by a digest alone"
            return in_fresh(first, said)
    return ""


def _is_digest(name: str, value: Value) -> bool:
    if type(value) is not str or name.startswith("order("):
        return False
    return name.startswith(_WHOLE) or _DIGEST.search(value) is not None


def named(where: str) -> str:
    """Return a path of the state of modules as it is shown."""
    return where.replace(":", ".", 1) if _STATE.match(where) else where


def without_own(
    is_own: Callable[[str], bool],
    says: Callable[[str], bool],
    sides: Sequence[Mapping[str, Value]],
) -> tuple[list[dict[str, Value]], list[str]]:
    """Return what two controls and a candidate have changed, of the candidate without what is
    its own: what it alone has a name for; and the paths of that. What a control changes as
    well, such as an attribute that a library has set, belongs to both. What a library keeps in
    an object of its own, and the candidate never `says`, may be a cache or the effect of a
    call: nothing follows."""
    *others, tried = sides
    known = {_root(_plain(name)) for other in others for name in other}
    kept = {
        found[0] for other in others for name in other if (found := _OF_FUNCTION.match(name))
    }
    own = {
        name
        for name in tried
        if (_root(_plain(name)) not in known and begins_at(is_own, name))
        or _is_kept_by_function(is_own, name, kept)
    }
    left = [
        {
            _kept(name, says): one
            for name, one in side.items()
            if not (side is tried and name in own)
        }
        for side in sides
    ]
    return left, sorted(own)


def _is_kept_by_function(
    is_own: Callable[[str], bool], where: str, kept: Collection[str]
) -> bool:
    """Tell whether a path is of what a function of the candidate keeps between calls, in its
    closure or a default, where no control has `kept` anything."""
    found = _OF_FUNCTION.match(where)
    if found is None or found[0] in kept:
        return False
    return found[3] is None or is_own(f"{found[1]}.{found[3]}")


def _plain(where: str) -> str:
    return where.replace(OF_LIBRARY, ".", 1).replace(GIVEN, ".", 1)


def _kept(where: str, says: Callable[[str], bool]) -> str:
    _, marked, rest = where.partition(OF_LIBRARY)
    name = _NAME.match(rest)
    if not marked or name is None or says(name[0]):
        return _plain(where)
    return f"{UNSHOWN}inside of {_plain(where)}"


def lost_in(
    is_gone: Callable[[str], bool], state: Mapping[str, Value], tried: Mapping[str, Value]
) -> list[str]:
    """Return what a control has put into a table that the candidate has no more: a cache, which
    nobody misses, or what would keep the next call from something. What was in there before,
    and is another now, is none of it: it may be held elsewhere as well."""
    return [
        name
        for name in state
        if name not in tried and _into_table(name) and begins_at(is_gone, name)
    ]


def _into_table(where: str) -> bool:
    """Tell whether a path is that of a table, of its order, or of one item."""
    found = _STATE.match(where)
    if found is None or where.startswith(("argument ", UNCOMPARED)):
        return False
    rest = where[found.end() :].rstrip(")")
    return not rest or (rest[0] == "[" and rest[-1] == "]" and not _DEEPER.search(rest))


def _root(where: str) -> tuple[str | None, ...]:
    found = _STATE.match(where)
    return found.groups() if found is not None else (where,)


def begins_at(is_own: Callable[[str], bool], where: str) -> bool:
    """Tell whether a path begins at a name that is the candidate's own."""
    found = _STATE.match(where)
    if found is None:
        return is_own(where)
    module, *names = found.groups()
    return any(is_own(f"{module}.{'.'.join(names[:n])}") for n in (1, 2) if names[n - 1])


def aligned(
    one: dict[str, Value], other: dict[str, Value], tried: dict[str, Value]
) -> Iterator[dict[str, Value]]:
    """Yield three sides in which names that are made up anew in each run, such as the keys of
    sessions, are the same."""
    mine, others = one.keys() - other.keys(), other.keys() - one.keys()
    made = {_form(name) for name in mine} & {_form(name) for name in others}
    for side in (one, other, tried):
        times: dict[str, int] = {}
        renamed: dict[str, Value] = {}
        for name, value in side.items():
            form = _form(name) if made and not (name in one and name in other) else name
            if form in made:
                times[form] = times.get(form, 0) + 1
                form = f"{form}#{times[form]}"
            else:
                form = name
            renamed[form] = value
        yield renamed


def _form(name: str) -> str:
    """Return a path without what chance may have made of its keys."""
    head, bracket, keys = name.partition("[") if "[" in name else name.partition("{")
    return head + bracket + without_chance(keys)
