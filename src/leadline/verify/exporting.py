"""Failing and differing calls as tests: each a file by itself, without any part of Leadline.

A failing call becomes a test that fails on the old code and passes on the fix. A call that did
not fail, and comes out differently, becomes one that passes on the old code.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from leadline.verify.as_test import MARK, NO_PROGRAM, Program, asked_database, source_of
from leadline.verify.comparison import Compared
from leadline.verify.literals import NotLiteral
from leadline.verify.verdict import Candidate
from leadline.wire.errors import UnavailableError
from leadline.wire.struct import dataclass, field

MAX_TESTS = 50
"""Of each sort: more are the same again."""


@dataclass(frozen=True, slots=True)
class Exported:
    """`files` were written; `left_out` are the numbers of calls that were not, and why.
    `beyond` counts those that are more than `MAX_TESTS` of their sort."""

    files: list[str] = field(default_factory=list)
    left_out: dict[int, str] = field(default_factory=dict)
    beyond: int = 0
    databases: list[str] = field(default_factory=list)
    """Those that they ask."""


def export_tests(
    folder: str,
    entry: str,
    found: Sequence[Compared],
    fails: str,
    expect: str,
    program: Program = NO_PROGRAM,
) -> Exported:
    """Write the tests into `folder`, which is made. Raises `UnavailableError`
    (`tests-unwritable`)."""
    sorts = _sorts(found)
    exported = Exported(beyond=sum(max(0, len(one) - MAX_TESTS) for one in sorts))
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        for one in wanted(found):
            name = f"test_{_word(entry)}_call_{one.call.number}.py"
            try:
                text = source_of(entry, one, fails, expect, program)
            except NotLiteral as why:
                exported.left_out[one.call.number] = str(why)
                continue
            if not _is_ours(Path(folder, name)):
                exported.left_out[one.call.number] = f"{name} is there, and is another's"
                continue
            _write(Path(folder, name), text)
            if (asked := asked_database(one)) and asked not in exported.databases:
                exported.databases.append(asked)
            exported.files.append(name)
    except OSError as error:
        raise UnavailableError(
            "tests-unwritable", f"The tests cannot be written to {folder}: {error.strerror}."
        ) from None
    return exported


def _is_ours(file: Path) -> bool:
    """Tell whether a file is none yet, or one that was written here before."""
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            return MARK in lines.readline()
    except FileNotFoundError:
        return True


def _write(file: Path, text: str) -> None:
    """Write a test as a whole, or leave what was there: on a full disk a file without tests
    would pass for one."""
    part = file.with_name(f".{file.name}.part")
    try:
        part.write_text(text, "utf-8")
        part.replace(file)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def wanted(found: Sequence[Compared]) -> Iterator[Compared]:
    """Yield the calls that become tests, where they can: some of each sort."""
    for some in _sorts(found):
        yield from some[:MAX_TESTS]


def _sorts(found: Sequence[Compared]) -> tuple[list[Compared], list[Compared]]:
    """Return the failing calls, and those that differ."""
    failing = [one for one in found if one.case.failed and one.case.agreed]
    differing = [
        one
        for one in found
        if one.case.failed is False
        and one.case.is_evidence
        and one.case.candidate is Candidate.DIFFERS
    ]
    return failing, differing


def _word(entry: str) -> str:
    return re.sub(r"\W+", "_", entry).strip("_")
