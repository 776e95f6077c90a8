"""A diff put into texts.

No line is guessed: what a hunk takes out or stands beside must be there to the letter. As with
patch(1) it may stand further up or down, and that is noted. Whatever does not fit is told with
the file and the line of the diff.
"""

from collections.abc import Iterator

from leadline.trial.unified import BOM, FilePatch, Hunk, Kind, lines_of, parse
from leadline.wire.errors import RefusedError
from leadline.wire.struct import dataclass, field


@dataclass(frozen=True, slots=True)
class Patched:
    """A new text, the numbers of the lines that it lost and got, and what is worth a word."""

    text: str
    removed: frozenset[int]
    added: frozenset[int]
    notes: tuple[str, ...] = ()


def apply(patch: FilePatch, source: str) -> Patched:
    """Put all hunks into `source`; raises `RefusedError` (`not-applicable`) that names the
    hunk which does not fit, and changes nothing then."""
    failed: _Misfit | None = None
    for variant, hunks in _variants(patch.hunks, source):
        try:
            return _put(patch, hunks, lines_of(variant))
        except _Misfit as misfit:
            failed = failed or misfit
    assert failed is not None  # noqa: S101 - the first variant is always tried
    raise RefusedError("not-applicable", *failed.args)


class _Misfit(Exception):  # noqa: N818 - it never leaves this module
    """A hunk that does not fit: the sentence and the hint."""


def taken_back(patch: FilePatch, source: str) -> Patched | None:
    """Return the text that `source` was before the hunks were put into it, or None where they
    are not in it to the letter. The lines that are `removed` and `added` are those on the way
    back."""
    hunks = tuple(
        Hunk(
            one.line,
            one.new_start,
            len(one.new),
            one.old_start,
            tuple((_BACK[sign], text) for sign, text in one.lines),
        )
        for one in patch.hunks
    )
    try:
        return apply(FilePatch(patch.line, patch.kind, patch.new, patch.old, hunks), source)
    except RefusedError:
        return None


_BACK = {" ": " ", "+": "-", "-": "+"}


def _variants(hunks: tuple[Hunk, ...], source: str) -> Iterator[tuple[str, tuple[Hunk, ...]]]:
    """Yield the text and the hunks as they are, and then with the ends of lines alike."""
    yield source, hunks
    dos = "\r\n" in source
    said = any(text.endswith("\r\n") for hunk in hunks for _, text in hunk.lines)
    if dos != said:
        hunks = tuple(_ended(hunk, "\r\n" if dos else "\n") for hunk in hunks)
        yield source, hunks
    if source and not source.endswith("\n"):  # which is often forgotten to be said
        yield source + ("\r\n" if dos else "\n"), hunks


def _ended(hunk: Hunk, end: str) -> Hunk:
    lines = tuple(
        (sign, text.removesuffix("\n").removesuffix("\r") + end if text[-1:] == "\n" else text)
        for sign, text in hunk.lines
    )
    return Hunk(hunk.line, hunk.old_start, hunk.old_count, hunk.new_start, lines)


@dataclass(slots=True)
class _Work:
    """The new text as far as it is made, from the first `done` lines of the old one."""

    made: list[str] = field(default_factory=list)
    removed: set[int] = field(default_factory=set)
    added: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    done: int = 0
    shift: int = 0


def _put(patch: FilePatch, hunks: tuple[Hunk, ...], lines: list[str]) -> Patched:
    work = _Work()
    for hunk in hunks:
        found = _found(hunk, lines, work)
        if len(found) > 1:
            raise _Misfit(
                f"{patch.name}: the hunk on line {hunk.line} of the diff fits at lines "
                f"{found[0] + 1} and {found[1] + 1}, and not where it says.",
                "Make the diff against the version that the service runs.",
            )
        if not found:
            raise _misfit(patch, hunk, lines, work)
        (at,) = found
        if at != hunk.at:
            away = at - hunk.at
            work.notes.append(
                f"{patch.name}: the hunk on line {hunk.line} of the diff fits "
                f"{abs(away)} line{'s' * (abs(away) > 1)} further "
                f"{'down' if away > 0 else 'up'}"
            )
        work.shift = at - hunk.at
        work.made += lines[work.done : at]
        for sign, text in hunk.lines:
            if sign == "+":
                work.made.append(text)
                work.added.add(len(work.made))
                continue
            if sign == " ":
                work.made.append(lines[at])
            else:
                work.removed.add(at + 1)
            at += 1
        work.done = at
    work.made += lines[work.done :]
    return Patched(
        "".join(work.made),
        frozenset(work.removed),
        frozenset(work.added),
        tuple(work.notes),
    )


def _found(hunk: Hunk, lines: list[str], work: _Work) -> list[int]:
    """Return before which lines a hunk fits: where it says, else wherever else."""
    old = hunk.old
    last = len(lines) - len(old)
    guess = hunk.at + work.shift
    if work.done <= guess <= last and _fits(hunk, old, lines, guess):
        return [guess]
    if not old:  # there is nothing to look for
        return []
    return [at for at in range(work.done, last + 1) if _fits(hunk, old, lines, at)]


def _fits(hunk: Hunk, old: list[str], lines: list[str], at: int) -> bool:
    """Whether the lines are there; a hunk with nothing unchanged on one side alone is at that
    end of the text, as it was when the diff was made."""
    if not all(_same(one, lines[at + number]) for number, one in enumerate(old)):
        return False
    above, below = hunk.lines[0][0] == " ", hunk.lines[-1][0] == " "
    return above == below or at == (len(lines) - len(old) if above else 0)


def _same(one: str, other: str) -> bool:
    return one == other or one.removeprefix(BOM) == other.removeprefix(BOM)


def _misfit(patch: FilePatch, hunk: Hunk, lines: list[str], work: _Work) -> _Misfit:
    where = f"{patch.name}: the hunk on line {hunk.line} of the diff"
    new = hunk.new
    guess = hunk.at + work.shift
    if new and lines[guess : guess + len(new)] == new:
        return _Misfit(
            f"{where} is in the service's code already.", "Nothing is left to be verified."
        )
    old = hunk.old
    wrong = next(
        (
            number
            for number, one in enumerate(old)
            if guess + number >= len(lines) or not _same(one, lines[guess + number])
        ),
        0,
    )
    wanted = old[wrong] if old else ""
    is_there = 0 <= guess + wrong < len(lines)
    has, reads = _apart(wanted, lines[guess + wrong] if is_there else "")
    if not is_there:
        has, reads = repr(wanted.strip()), "nothing any more: the file ends before"
    return _Misfit(
        f"{where} does not fit: where it has {has if old else 'nothing'}, "
        f"line {guess + wrong + 1} reads {reads}.",
        "Make the diff against the version that the service runs.",
    )


def _apart(one: str, other: str) -> tuple[str, str]:
    """Return two lines as they are shown: without the blanks around them, unless these are all
    that is different."""
    short = one.strip(), other.strip()
    shown = short if short[0] != short[1] else (one.rstrip("\n"), other.rstrip("\n"))
    return repr(shown[0]), repr(shown[1])


__all__ = [
    "BOM",
    "FilePatch",
    "Hunk",
    "Kind",
    "Patched",
    "apply",
    "lines_of",
    "parse",
    "taken_back",
]
