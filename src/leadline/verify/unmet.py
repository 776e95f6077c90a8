"""Lines of a change that no call has reached, where the real calls may have reached them.

A run begins with a world in which its call has been made already: the row is written, the file
is there, and what would write it anew is passed by. The old code and the new come to the same
then, whatever the lines in between would do. Only in a twin at its hit is all as it was.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence

from leadline.trial.candidate import Change
from leadline.trial.place import BEGAN, IN_TWIN, Ran
from leadline.verify.comparison import Compared
from leadline.verify.effects import commits_otherwise, decided, effect_of

_FILES = frozenset(
    """
    exists lexists isfile isdir islink is_file is_dir is_symlink stat lstat access listdir
    scandir iterdir glob rglob walk getmtime getsize
    """.split()
)
"""Names of what asks whether, or which, files are there."""
_OTHERWISE = "{} may have been otherwise when the calls were made"
_COMMITS = "the candidate ends its transactions otherwise"
_NOTHING = "{} may write, and on a good call the old code writes nothing here"
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
    runs = [
        (run, one.call.document is None)  # then it was tried at its hit
        for one in compared
        if one.case.agreed
        for run in (one.control, one.candidate)
        if run is not None
    ]
    afterwards = [run for run, at_hit in runs if not at_hit]
    asked = _database(afterwards)
    if not asked and afterwards and any(map(_asks_for_files, _texts(changes))):
        asked = "what files there are"
    if asked and (said := _hidden(compared, counts, changes)):
        return f"{said}, and {_OTHERWISE.format(asked)}: {IN_TWIN}"
    asked = _database([run for run, _ in runs])  # which a live call may have written already
    where = effect_of(changes, entry) if asked else ""
    if where not in ("", entry) and _writes_nothing(compared):
        said = f"{_NOTHING.format(where)}: {_OTHERWISE.format(asked)}"
        return f"{said}: {IN_TWIN}" if afterwards else said
    return ""


def _hidden(
    compared: Sequence[Compared],
    counts: Iterable[tuple[str, Mapping[int, int]]],
    changes: Sequence[Change],
) -> str:
    """Say what of a change may do otherwise where nothing is as a call had left it."""
    lines = [(file, line) for file, held in counts for line, count in held.items() if not count]
    if lines:
        return f"no call has reached {_named(lines)} of the change"
    if lines := [
        (change.file, line)
        for change in changes
        for is_new, line in decided(change)
        if any(line in _touched(one, change.file, is_new) for one in compared)
    ]:
        return f"{_named(lines)} of the change decides what is written"
    return _COMMITS if any(map(commits_otherwise, changes)) else ""


def _database(runs: Iterable[Ran]) -> str:
    """Return the first database that runs have asked."""
    found = (name for run in runs for name in run.state if name.startswith(BEGAN))
    return next(found, "").removeprefix(BEGAN)


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
