"""A case of `cases/`: what runs, what it is called with, a change of it, and what is true.

Each file is TOML. `live` is the text of a module `live`; `candidate` its new text, or `diff` a
unified diff of it. `entry` is the function that `calls` are made to, in this order and in one
process: each is an expression in the namespace of the module that gives a tuple of arguments.
A coroutine is awaited, a generator is used up. `fails` and `expect` are predicates as `verify`
takes them. `truth` says what the change is, `verdicts` what may be said of it. `needs` names
what must be there: `folder`, an empty folder in `CASE_FOLDER`; `http`, a server at `CASE_URL`
whose `/weather/bern` says `{"degrees": 21}` and all else `{}`.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from leadline.trial import candidate

FOLDER = Path(__file__).parent / "cases"
TRUTHS = (
    "right fix",
    "wrong fix",
    "half fix",
    "swallow",
    "changes other results",
    "equal rewrite",
    "refactoring",
    "no-op",
    "nondeterministic",
    "unrelated",
)
VERDICTS = (
    "fixed",
    "no longer fails",
    "not fixed",
    "changes behaviour",
    "no difference",
    "not exercised",
    "unknown",
)


@dataclass(frozen=True)
class Case:
    name: str
    title: str
    truth: str
    verdicts: tuple[str, ...]
    live: str
    new: str
    diff: str
    entry: str
    calls: tuple[str, ...]
    fails: str
    expect: str
    needs: tuple[str, ...]


def load() -> list[Case]:
    """Read all cases, in the order of their names."""
    return [_read(path) for path in sorted(FOLDER.glob("*.toml"))]


def _read(path: Path) -> Case:
    said = tomllib.loads(path.read_text("utf-8"))
    live, diff, new = said["live"], said.get("diff", ""), said.get("candidate", "")
    if diff:
        made = candidate.from_diff(diff, lambda name: (f"/{name}", live))
        (change,) = made.changes
        new = change.new or ""
    return Case(
        path.stem,
        said["title"],
        said["truth"],
        tuple(said["verdicts"]),
        live,
        new,
        diff,
        said["entry"],
        tuple(said["calls"]),
        said.get("fails", ""),
        said.get("expect", ""),
        tuple(said.get("needs", ())),
    )
