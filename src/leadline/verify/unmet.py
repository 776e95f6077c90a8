"""What of a change the runs of a verification have not met, where the real calls may have.

A run begins with a world in which its call has been made already: the row is written, the file
is there, and what would write it anew is passed by. The old code and the new come to the same
then, whatever the lines in between would do. Only in a twin at its hit is all as it was.
"""

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from leadline.trial.candidate import Change
from leadline.trial.place import BEGAN, IN_TWIN, LATER, MORE, OPENED
from leadline.trial.syntax import last_of
from leadline.verify.comparison import Compared
from leadline.verify.deeds import Text
from leadline.verify.effects import commits_otherwise, decided
from leadline.verify.functions import functions_of, other_texts
from leadline.verify.leading import guards, led_to
from leadline.verify.state import moved_database

_FILES = frozenset(
    """
    exists lexists isfile isdir islink is_file is_dir is_symlink stat lstat access listdir
    scandir iterdir glob rglob walk getmtime getsize open read_text read_bytes
    """.split()
)
"""Names of what asks whether, or which, files are there, or what one holds."""
_QUERIES = frozenset(
    """
    execute executemany executescript commit flush cursor begin atomic query scalars scalar
    save create bulk_create get_or_create update_or_create filter merge add_all fetchone
    fetchall
    """.split()
)
"""Names of what asks, or sets, what a database holds."""
_OPEN = "the database that is open"
_OTHERWISE = "{} may have been otherwise when the calls were made"
_COMMITS = "the candidate ends its transactions otherwise"
_TOO_MANY = "more functions of the service have run than can be looked through for writes"
_LEADS = "{} sets what the change leads to"
_MOST_NAMED = 3


def not_met(
    compared: Sequence[Compared],
    counts: Iterable[tuple[str, Mapping[int, int]]],
    changes: Sequence[Change],
    entry: str,
    *,
    is_tried_elsewhere: bool = True,
) -> str:
    """Say what of a change its runs may have met in a world that the live calls had left: lines
    that none has reached, and what is set outside; nothing where nothing outside of the calls
    was asked. `counts` are the calls that have reached each line, by file. What the text of a
    service says of its writes counts for something only if it `is_tried_elsewhere`, in worlds
    in which these are made."""
    runs = [
        (run, one.call.document is None)  # then it was tried at its hit
        for one in compared
        if one.case.agreed
        for run in (one.control, one.candidate)
        if run is not None
    ]
    afterwards = [run for run, at_hit in runs if not at_hit]
    ran = functions_of((run for run, _ in runs), changes)
    others = other_texts(ran, changes)
    files = ""
    if any(_has(of, ran, _FILES) for of in _texts(changes, others)):
        files = "what files there are, and hold,"
    idle = {
        change.file: guards(
            change,
            entry,
            {line for one in compared for line in _touched(one, change.file, True)},
        )
        for change in changes
    }
    asked = moved_database(afterwards) or files
    if asked and afterwards and (said := _hidden(compared, counts, changes, idle)):
        return f"{said}, and {_OTHERWISE.format(asked)}: {IN_TWIN}"
    # a live call may have written already when its twin reads
    asked = moved_database(run for run, _ in runs)
    if not asked and any(OPENED in run.state for run, _ in runs):
        asked = _OPEN if any(_has(of, ran, _QUERIES) for of in _texts(changes, others)) else ""
    is_later = any(LATER in run.state for run, _ in runs)
    asked = asked or files or (LATER.removeprefix(BEGAN) if is_later else "")
    if asked and any(MORE in run.called for run, _ in runs):
        return _TOO_MANY
    trusts = is_tried_elsewhere or asked == files
    where = ""
    if asked:
        where = led_to(changes, others, ran, entry, idle, is_alone=is_later, trusts_text=trusts)
    if where:
        said = f"{_LEADS.format(where)}, and {_OTHERWISE.format(asked)}"
        return f"{said}: {IN_TWIN}" if afterwards else said
    return ""


def _hidden(
    compared: Sequence[Compared],
    counts: Iterable[tuple[str, Mapping[int, int]]],
    changes: Sequence[Change],
    idle: Mapping[str, frozenset[int]],
) -> str:
    """Say what of a change may do otherwise where nothing is as a call had left it."""
    lines = [(file, line) for file, held in counts for line, count in held.items() if not count]
    if lines:
        return f"no call has reached {_named(lines)} of the change"
    if lines := [
        (change.file, line)
        for change in changes
        for is_new, line in decided(change)
        if not (is_new and line in idle[change.file])
        and any(line in _touched(one, change.file, is_new) for one in compared)
    ]:
        return f"{_named(lines)} of the change decides what is written"
    return _COMMITS if any(map(commits_otherwise, changes)) else ""


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


def _texts(changes: Sequence[Change], others: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for change in changes:
        yield from ((change.file, text) for text in (change.old, change.new) if text)
    yield from others.items()


def _has(of: tuple[str, str], ran: Collection[tuple[str, str]], names: Collection[str]) -> bool:
    """Tell whether a function of a file that has run calls any of some names."""
    file, text = of
    return any(
        last_of(node.func) in names
        for qualname, function in Text(text).functions
        if (file, qualname) in ran
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
    )
