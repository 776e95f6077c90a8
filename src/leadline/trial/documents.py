"""Two JSON texts compared token by token: the body of a response differs where its values do.

Only texts of the same build are taken apart: the same keys in the same order, the same brackets
and blanks. So nothing that differs is lost: what is not one of the values found here makes the
whole text another one.
"""

import json
import re
from _sha2 import sha256  # type: ignore[import-not-found]
from collections.abc import Iterator

from leadline.wire.struct import dataclass

MAX_CHARS = 2_000_000
_TOKEN = re.compile(
    r'\s+|"(?:[^"\\\x00-\x1f]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[\[\]{}:,]'
)
_MARKS = frozenset("[]{}:,")
_SHORT_KEY = 40


@dataclass(frozen=True, slots=True)
class Spot:
    """A value that differs: its path within the text, `["items"][0]`, and the two values."""

    path: str
    one: object
    other: object


def spots(one: str, other: str) -> list[Spot] | None:
    """Return where two texts of the same build differ; None for texts that are no JSON objects
    or lists, or are built otherwise."""
    if not (_may_be(one) and _may_be(other)):
        return None
    ours, theirs = _tokens(one), _tokens(other)
    if ours is None or theirs is None or len(ours) != len(theirs):
        return None
    found: list[Spot] = []
    try:
        for path, is_value, word, its in _walked(ours, theirs):
            if word == its:
                continue
            if not (is_value and _is_scalar(word) and _is_scalar(its)):
                return None
            value, its_value = json.loads(word), json.loads(its)
            if value == its_value and type(value) is type(its_value):
                return None  # written otherwise, as 1.0 and 1.00
            found.append(Spot(path, value, its_value))
    except ValueError:
        return None
    return found


def _may_be(text: str) -> bool:
    return len(text) <= MAX_CHARS and text.lstrip()[:1] in ("{", "[")


def _tokens(text: str) -> list[str] | None:
    """Return all tokens; None where the text is no JSON."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    words = _TOKEN.findall(text)
    return words if "".join(words) == text else None  # Python reads NaN, too


def _walked(ours: list[str], theirs: list[str]) -> Iterator[tuple[str, bool, str, str]]:
    """Yield path, whether it is a value (and no key, mark or blank), and both tokens."""
    levels: list[_Level] = []
    is_key = False
    for word, its in zip(ours, theirs, strict=True):
        path = "".join(one.step() for one in levels)
        if word in _MARKS or word.isspace():
            yield path, False, word, its
            if word in "{[":
                levels.append(_Level(word == "["))
                is_key = word == "{"
            elif word in "}]":
                levels.pop()
                is_key = False
            elif word == ",":
                is_key = not levels[-1].is_list
                levels[-1].at += 1
        elif is_key:
            levels[-1].enter(json.loads(word))
            is_key = False
            yield path, False, word, its
        else:
            yield path, True, word, its


class _Level:
    """An object or list under way: the key, or the index, of what comes next."""

    def __init__(self, is_list: bool) -> None:
        self.is_list, self.at = is_list, 0
        self.key = ""
        self.met: dict[str, int] = {}

    def enter(self, key: str) -> None:
        self.key = key
        self.met[key] = self.met.get(key, 0) + 1

    def step(self) -> str:
        if self.is_list:
            return f"[{self.at}]"
        times = self.met.get(self.key, 0)
        return f"[{_step(self.key)}]" + f"#{times}" * (times > 1)


def _step(key: str) -> str:
    if len(key) <= _SHORT_KEY:
        return repr(key)
    digest = sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{key[:_SHORT_KEY]!r}… #{digest}"


def _is_scalar(word: str) -> bool:
    return word not in _MARKS and not word.isspace()
