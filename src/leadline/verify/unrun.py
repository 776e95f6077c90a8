"""What a candidate changes, and no call has reached."""

from collections.abc import Sequence
from pathlib import Path

from leadline.trial.candidate import Change
from leadline.trial.reachable import compiled, function_codes, lines_of_code
from leadline.verify.report import Coverage


def unrun(
    changes: Sequence[Change], coverage: Sequence[Coverage], *, readers: bool = False
) -> list[tuple[str, str]]:
    """Return them by file and name, as far as both versions have them: those of whose changed
    lines none was reached, and constants of modules of which none was. With `readers` also
    functions that only read what is changed."""
    counts = {(one.file, one.new): one.lines for one in coverage}
    found: list[tuple[str, str]] = []
    for change in changes:
        if change.old is None or change.new is None:
            continue
        old, new = (_lines(text) for text in (change.old, change.new))
        changed = {one.split(".<locals>")[0] for one in change.functions}
        for name in sorted(old, key=lambda one: min(old[one], default=0)):
            if name not in new or not (readers or name in changed):
                continue
            reached = [
                count
                for side, is_new in ((old, False), (new, True))
                for line, count in counts.get((change.file, is_new), {}).items()
                if line in side[name]
            ]
            if reached and not any(reached):
                found.append((change.file, name))
        ran = [
            count
            for is_new in (False, True)
            for count in counts.get((change.file, is_new), {}).values()
        ]
        if not any(ran):  # who reads a constant in another module is not known
            stem = Path(change.file).stem
            names = [f"{stem}.{one.lstrip('.')}" for one in change.difference.names]
            found += [(change.file, one) for one in names if one not in changed]
    return found


def _lines(text: str) -> dict[str, set[int]]:
    """Return the lines of each function, those within it included."""
    found: dict[str, set[int]] = {}
    try:
        codes = list(function_codes(compiled(text)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return found
    for code, name in codes:
        found.setdefault(name, set()).update(lines_of_code(code))
    return found
