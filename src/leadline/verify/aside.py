"""What differs between old and new code, and is no part of what a call does: state that the
candidate alone has, and where lines stand, in texts that tell it, such as tracebacks."""

import re
from collections.abc import Callable, Sequence
from pathlib import PurePath

from leadline.trial.candidate import Change
from leadline.trial.comparing import Moved
from leadline.verify.signature import fresh, gone, words
from leadline.wire.struct import dataclass

_SOURCE = r"(?:\n {4}[^\n]*)*"
"""The line itself, which a traceback shows beneath its number, and marks under it."""


@dataclass(frozen=True, slots=True)
class Aside:
    """What is left aside: `is_own` tells of a name in a module whether it is the candidate's
    own, `is_gone` whether it was the old code's alone, and `moved` takes the numbers of lines
    of changed files out of a text. `is_new` tells whether the old code never says a word,
    `says` whether the new code does. `changed` are names, `module:name`, of what the service
    has changed since it was started, where the places have it as it was then."""

    is_own: Callable[[str], bool]
    moved: Moved
    is_gone: Callable[[str], bool] = lambda _: False
    is_new: Callable[[str], bool] = lambda _: False
    changed: frozenset[str] = frozenset()
    says: Callable[[str], bool] = lambda _: True


NOTHING_ASIDE = Aside(lambda _: False, str)


def aside(changes: Sequence[Change]) -> Aside:
    """Return what is left aside where these changes are compared."""
    before, now = words(one.old for one in changes), words(one.new for one in changes)
    return Aside(
        fresh(changes),
        without_numbers(changes),
        gone(changes),
        lambda name: name not in before,
        says=now.__contains__,
    )


def without_numbers(changes: Sequence[Change]) -> Moved:
    """Return what takes the numbers of lines of changed files out of a text."""
    names = sorted({PurePath(change.file).name for change in changes if change.file})
    if not names:
        return str
    file = "|".join(map(re.escape, names))
    told = re.compile(
        rf'(?P<frame>File "(?:[^"\n]*/)?(?:{file})", line )\d+(?P<rest>[^\n]*){_SOURCE}'
        rf"|(?P<place>(?<![\w.-])(?:{file}):)\d+"
    )

    def without(text: str) -> str:
        if not any(name in text for name in names):
            return text
        return told.sub(_without, text)

    return without


def _without(found: re.Match[str]) -> str:
    if found["place"]:
        return f"{found['place']}…"
    return f"{found['frame']}…{found['rest']}"
