"""Lines of a change that no call has reached, where the real calls may have reached them.

A run begins with a world in which its call has been made already: the row is written, the file
is there, and what would write it anew is passed by. The old code and the new come to the same
then, whatever the lines in between would do. Only in a twin at its hit is all as it was.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence

from leadline.trial.candidate import Change
from leadline.trial.place import BEGAN, IN_TWIN
from leadline.verify.comparison import Compared
from leadline.verify.effects import commits_otherwise, decided, effect_of

_FILES = frozenset(
    """
    exists lexists isfile isdir islink is_file is_dir is_symlink stat lstat access listdir
    scandir iterdir glob rglob walk getmtime getsize
    """.split()
)
"""Names of what asks whether, or which, files are there."""
_SAID = (
    "no call has reached {} of the change, and {} may have been otherwise when the calls were "
    f"made: {IN_TWIN}"
)
_DECIDES = (
    "{} of the change decides what is written, and {} may have been otherwise when the "
    f"calls were made: {IN_TWIN}"
)
_COMMITS = (
    "the candidate ends its transactions otherwise, and {} may have been otherwise when the "
    f"calls were made: {IN_TWIN}"
)
_NOTHING = (
    "{} may write, and on a good call the old code writes nothing here: {} may have been "
    f"otherwise when the calls were made: {IN_TWIN}"
)
_WRITTEN = "database "
"""How a name of `Ran.state` begins that tells of a row that was written."""
_MOST_NAMED = 3


def not_met(
    compared: Sequence[Compared],
    counts: Iterable[tuple[str, Mapping[int, int]]],
    changes: Sequence[Change],
    entry: str,
) -> str:
    """Say which changed lines no run has reached, and what may have led the real calls there;
    nothing where all were reached, or nothing outside of the calls was asked. `counts` are the
    calls that have reached each line, by file."""
    what = _moved_on(compared, changes)
    if not what:
        return ""
    lines = [(file, line) for file, held in counts for line, count in held.items() if not count]
    if lines:
        return _SAID.format(_named(lines), what)
    if lines := [
        (change.file, line)
        for change in changes
        for is_new, line in decided(change)
        if any(line in _touched(one, change.file, is_new) for one in compared)
    ]:
        return _DECIDES.format(_named(lines), what)
    if any(map(commits_otherwise, changes)):
        return _COMMITS.format(what)
    where = effect_of(changes, entry if _is_here(changes, entry) else "")
    return _NOTHING.format(where, what) if where and _writes_nothing(compared) else ""


def _is_here(changes: Sequence[Change], entry: str) -> bool:
    return effect_of(changes, entry) != entry


def _writes_nothing(compared: Sequence[Compared]) -> bool:
    """Tell whether the old code has asked a database on a good call, and written nothing."""
    runs = [
        one.control.state
        for one in compared
        if one.control is not None and one.case.is_evidence and not one.case.failed
    ]
    return any(
        any(name.startswith(BEGAN) for name in state)
        and not any(name.startswith(_WRITTEN) for name in state)
        for state in runs
    )


def _named(lines: Sequence[tuple[str, int]]) -> str:
    every = dict.fromkeys(lines)  # both sides may have the same
    named = [f"{file.rpartition('/')[2]}:{line}" for file, line in [*every][:_MOST_NAMED]]
    return ", ".join(named) + ", ..." * (len(every) > _MOST_NAMED)


def _touched(one: Compared, file: str, is_new: bool) -> Sequence[int]:
    """Return the changed lines that a good call has reached."""
    run = one.candidate if is_new else one.control
    if run is None or not one.case.agreed or one.case.failed:
        return ()
    return run.coursed.touched.get(file, ())


def _moved_on(compared: Sequence[Compared], changes: Sequence[Change]) -> str:
    """Return what the runs have asked that goes on without them."""
    runs = [
        run
        for one in compared
        if one.case.agreed and one.call.document is not None  # else it was tried at its hit
        for run in (one.control, one.candidate)
        if run is not None
    ]
    if not runs:
        return ""
    found = (name for run in runs for name in run.state if name.startswith(BEGAN))
    if database := next(found, ""):
        return database.removeprefix(BEGAN)
    return "what files there are" if any(map(_asks_for_files, _texts(changes))) else ""


def _texts(changes: Sequence[Change]) -> Iterator[str]:
    for change in changes:
        yield from (text for text in (change.old, change.new) if text)


def _asks_for_files(text: str) -> bool:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return any(
        isinstance(node, ast.Call)
        and (getattr(node.func, "attr", None) or getattr(node.func, "id", None)) in _FILES
        for node in ast.walk(tree)
    )
