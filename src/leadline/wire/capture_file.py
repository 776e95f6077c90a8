"""Captured calls in a file: JSON lines, the first of which says what the others are of.

    {"leadline": "capture", "schema_version": 1, "service": "shop",
     "entry": "shop.pricing:quote", "fails": "raises ZeroDivisionError", "home": {...}, ...}
    {"entry": "shop.pricing:quote", "kind": "function", "returned": true, ...}

A line is a `wire.CallView`; it may have more members, such as `time` and `instance`.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from leadline.wire.call import CallKind, CallView, Origin, Turn, TurnKind
from leadline.wire.errors import UsageError
from leadline.wire.struct import asdict, dataclass, field

SCHEMA_VERSION = 1
MAX_LINE_CHARS = 4_000_000
"""Of one call: what a report of an agent may be."""

type _Member = tuple[str, type | tuple[type, ...]]

_NULL = type(None)
_MEMBERS: tuple[_Member, ...] = (
    ("entry", str),
    ("returned", bool),
    ("arguments", dict),
    ("yields", list),
    ("fails", (bool, _NULL)),
    ("unknown", str),
    ("kept", (dict, _NULL)),
    ("size", int),
    ("withheld", list),
    ("obstacle", str),
    ("callers", list),
    ("duration_s", (float, int, _NULL)),
    ("more_yields", int),
    ("depth", int),
)
_OF_TURN: tuple[_Member, ...] = (("after", int), ("kept", (dict, _NULL)))
_OF_ORIGIN: tuple[_Member, ...] = (
    ("python", str),
    ("executable", str),
    ("path", list),
    ("folder", str),
    ("file", str),
    ("digest", str),
    ("hash_randomization", bool),
    ("hash_seed", str),
    ("main", str),
    ("state", dict),
    ("code", dict),
    ("recursion_limit", (int, _NULL)),
    ("max_str_digits", (int, _NULL)),
    ("flags", dict),
    ("warnings", list),
)
_NEEDED = ("entry", "returned")


@dataclass(frozen=True, slots=True)
class Header:
    """What a file of calls is of. `home` is that of the first instance that told it; `asked`
    is how many calls were asked for, and `saved_at` when the file was written, in seconds
    since 1970."""

    service: str
    entry: str
    fails: str | None = None
    home: Origin | None = None
    python: str = ""
    agent: str = ""
    asked: int = 0
    saved_at: float = 0.0


@dataclass(frozen=True, slots=True)
class CaptureFile:
    """A file as it was read."""

    header: Header
    calls: list[CallView] = field(default_factory=list)


def capture_lines(header: Header, calls: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of a file with their ends; `calls` are `CallView`s as JSON has them."""
    first = {"leadline": "capture", "schema_version": SCHEMA_VERSION} | asdict(header)
    for line in (first, *calls):
        yield json.dumps(line, separators=(",", ":")) + "\n"


def lines_of(file: TextIO) -> Iterator[str]:
    """Yield the lines of a file, none of them longer than is read: the rest of a longer one
    comes as another, and reading has failed by then."""
    while line := file.readline(MAX_LINE_CHARS + 1):
        yield line


def read_capture_file(lines: Iterable[str]) -> CaptureFile:
    """Read a file. Raises slug `bad-capture-file`, which names the line."""
    header: Header | None = None
    calls: list[CallView] = []
    for number, line in enumerate(lines, 1):
        if header is None:
            header = _header(_object(line, number))
        elif line.strip():
            calls.append(call_of(_object(line, number), f"Line {number}"))
    if header is None:
        raise _bad("The file is empty.")
    return CaptureFile(header, calls)


def call_of(said: dict[str, Any], where: str = "A call") -> CallView:
    """Return a call that came as JSON; raises slug `bad-capture-file`. Members that are
    missing have their defaults, and others than those of a call are left out."""
    members = _members(said, _MEMBERS, where)
    if missing := [name for name in _NEEDED if name not in members]:
        raise _bad(f"{where} has no `{missing[0]}`.")
    try:
        kind = CallKind(said.get("kind", CallKind.FUNCTION))
    except ValueError:
        raise _bad(f"{where} is a call of an unknown kind.") from None
    home = said.get("home")
    return CallView(
        kind=kind,
        value=said.get("value"),
        home=_origin(home, where) if home is not None else None,
        turns=_turns(said.get("turns", []), where),
        **members,
    )


def _turns(said: object, where: str) -> list[Turn]:
    if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
        raise _bad(f"`turns` of {where} is not a list of objects.")
    turns = []
    for one in said:
        members = _members(one, _OF_TURN, f"`turns` of {where}")
        try:
            turns.append(Turn(kind=TurnKind(one.get("kind")), **members))
        except (TypeError, ValueError):
            raise _bad(f"`turns` of {where} has one that is not known.") from None
    return turns


def _header(said: dict[str, Any]) -> Header:
    if said.get("leadline") != "capture":
        raise _bad('The first line does not say that it is one: `"leadline": "capture"`.')
    version = said.get("schema_version")
    if version != SCHEMA_VERSION:
        raise _bad(f"It is of version {version!r:.20}, and {SCHEMA_VERSION} can be read.")
    wanted: tuple[_Member, ...] = (
        ("service", str),
        ("entry", str),
        ("fails", (str, _NULL)),
        ("python", str),
        ("agent", str),
        ("asked", int),
        ("saved_at", (float, int)),
    )
    members = _members(said, wanted, "Line 1")
    for name in ("service", "entry"):
        if name not in members:
            raise _bad(f"Line 1 has no `{name}`.")
    home = said.get("home")
    return Header(home=_origin(home, "Line 1") if home is not None else None, **members)


def _origin(said: object, where: str) -> Origin:
    if not isinstance(said, dict):
        raise _bad(f"`home` of {where} is not an object.")
    members = _members(said, _OF_ORIGIN, where)
    for name in ("python", "executable", "path", "folder", "file"):
        if name not in members:
            raise _bad(f"`home` of {where} has no `{name}`.")
    for held in members.get("state", {}).values():
        if type(held) is not dict or not all(type(one) is str for one in held.values()):
            raise _bad(f"`state` of `home` of {where} is not what it should be.")
    for code in members.get("code", {}).values():
        if type(code) is not list or not all(type(one) is str for one in code):
            raise _bad(f"`code` of `home` of {where} is not what it should be.")
    return Origin(**members)


def _members(said: dict[str, Any], wanted: tuple[_Member, ...], where: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, kind in wanted:
        if name not in said:
            continue
        value = said[name]
        if not isinstance(value, kind) or (isinstance(value, bool) and not _takes_bool(kind)):
            raise _bad(f"`{name}` of {where} is not what it should be: {value!r:.80}.")
        if (
            isinstance(value, list)
            and name != "yields"
            and not all(type(one) is str for one in value)
        ):
            raise _bad(f"`{name}` of {where} is not a list of texts.")
        found[name] = value
    return found


def _takes_bool(kind: type | tuple[type, ...]) -> bool:
    return kind is bool or (type(kind) is tuple and bool in kind)


def _object(line: str, number: int) -> dict[str, Any]:
    if len(line) > MAX_LINE_CHARS:
        raise _bad(f"Line {number} is longer than {MAX_LINE_CHARS / 1e6:g} MB.")
    try:
        said = json.loads(line)
    except ValueError as error:
        hint = " The file was cut off there." if not line.endswith("\n") else ""
        raise _bad(f"Line {number} is not JSON: {error}.{hint}") from None
    except RecursionError:
        raise _bad(f"Line {number} is too deeply nested.") from None
    if not isinstance(said, dict):
        raise _bad(f"Line {number} is not an object.")
    return said


def _bad(sentence: str) -> UsageError:
    return UsageError(
        "bad-capture-file",
        f"This is no file of captured calls that can be read. {sentence}",
        "Make one with: leadline capture SERVICE MODULE:FUNCTION -o FILE",
    )
