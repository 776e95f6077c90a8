"""Which functions of the service the runs of a verification have come by, and their texts."""

import os
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from leadline.trial.candidate import Change, decoded
from leadline.trial.place import Ran
from leadline.verify.deeds import Text

type Functions = set[tuple[str, str]]
"""By file and qualified name."""


def functions_of(runs: Iterable[Ran], changes: Collection[Change]) -> Functions:
    """Return the functions that have run; where nobody says which have, all of the files that
    are changed, before and after."""
    named = {os.path.realpath(change.file): change.file for change in changes}
    found = {
        (named.get(file, file), name)
        for run in runs
        for file, _, name in (one.rpartition(":") for one in run.called)
    }
    return found or {
        (change.file, name)
        for change in changes
        for text in (change.old, change.new)
        if text
        for name, _ in Text(text).functions
    }


def other_texts(ran: Functions, changes: Iterable[Change]) -> dict[str, str]:
    """Return the texts of the files that are not changed and of which functions have run."""
    found = {}
    for file in {file for file, _ in ran} - {change.file for change in changes}:
        with suppress(OSError):
            found[file] = decoded(Path(file).read_bytes())
    return found
