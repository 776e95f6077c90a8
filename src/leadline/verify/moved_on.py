"""What a candidate decides by a world in which its call has been made already.

`if order.state == "paid": raise` is met by no first payment. But where the database is the one
that the live call has left, the candidate refuses to do what it would have done: that tells
nothing of the call. Only in a twin at its hit is all as it was.
"""

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence

from leadline.trial.candidate import Change
from leadline.trial.place import IN_TWIN, OPENED, UNMOVED, WRITTEN, Ran
from leadline.trial.scopes import head
from leadline.trial.syntax import last_of
from leadline.verify.arguments import Arguments
from leadline.verify.comparison import Compared, left_open
from leadline.verify.deeds import Text, own_nodes
from leadline.verify.functions import Functions, functions_of, other_texts
from leadline.verify.leads import inserts
from leadline.verify.state import moved_database
from leadline.verify.steady import Steady, within_of
from leadline.verify.verdict import Candidate

_ASKS = frozenset(
    """
    execute executemany executescript query filter filter_by exclude where get get_or_create
    update_or_create exists count first one one_or_none scalar scalar_one scalars fetchone
    fetchall update delete
    """.split()
)
"""Names of what asks a database for what is there, or sets only what is as it says."""
_DECIDES = (ast.If, ast.While, ast.For, ast.AsyncFor, ast.Match, ast.Assert, ast.Try)
_CHOOSES = (ast.IfExp, ast.BoolOp, ast.Compare, ast.comprehension)
_WHY = (
    "{} of the change decides by what is there, and {} may have been otherwise when the call "
    "was made"
)
_LATE = "{} left out: {} may have been written before the twin had read it"


def with_world_open(
    found: Sequence[Compared], changes: Sequence[Change], entry: str
) -> list[Compared]:
    """Return calls with those left open whose candidate differs where it decides by what the
    live call may have written."""
    if not any(_writes(run) for one in found for run in _runs(one)):
        return list(found)
    doubted = [one for one in found if _may_be_by_world(one)]
    if not doubted:
        return list(found)
    runs = [run for one in doubted for run in _runs(one)]
    deciding = {
        is_new: _Side(changes, functions_of(runs, changes), entry, is_new).deciding()
        for is_new in (False, True)
    }
    return [_open(one, deciding) if one in doubted else one for one in found]


def in_time(found: Sequence[Compared]) -> list[Compared]:
    """Return calls without those whose twin may have read what the live call had written by
    then; all of them where no twin is known to have read in time."""
    if not any(map(_has_read_in_time, found)):
        return list(found)
    return [one for one in found if not (_is_at_hit(one) and moved_database(_runs(one)))]


def has_moved_on(found: Sequence[Compared]) -> bool:
    """Tell whether a run may have met another database than its call."""
    runs = [run for one in found if one.case.agreed for run in _runs(one)]
    return bool(moved_database(runs)) or any(OPENED in run.state for run in runs)


def late_words(found: Sequence[Compared], kept: Sequence[Compared]) -> list[str]:
    """Say how many calls were left out by `in_time`."""
    numbers = {one.call.number for one in kept}
    left = [one for one in found if one.call.number not in numbers]
    if not left:
        return []
    many = f"{len(left)} calls are" if len(left) > 1 else "1 call is"
    return [_LATE.format(many, moved_database(_runs(left[0])))]


def _is_at_hit(one: Compared) -> bool:
    return one.call.document is None and one.case.agreed


def _has_read_in_time(one: Compared) -> bool:
    named = any(name.endswith(UNMOVED) for run in _runs(one) for name in run.state)
    return _is_at_hit(one) and named and not moved_database(_runs(one))


def _may_be_by_world(one: Compared) -> bool:
    case = one.case
    tells = case.candidate is Candidate.DIFFERS and not case.failed
    missed = bool(case.failed) and (case.still_fails or case.expected is False)
    return case.agreed and (tells or missed) and bool(moved_database(_runs(one)))


def _writes(run: Ran) -> bool:
    """Tell whether a run has written to a database: then a call has, and others find that."""
    return any(name.endswith(WRITTEN) for name in run.state)


def _open(one: Compared, deciding: Mapping[bool, Collection[tuple[str, int]]]) -> Compared:
    for is_new, run in ((True, one.candidate), (False, one.control)):
        touched = run.coursed.touched if run is not None else {}
        for file, line in ((file, line) for file, lines in touched.items() for line in lines):
            if (file, line) in deciding[is_new]:
                where = f"{file.rpartition('/')[2]}:{line}"
                why = _WHY.format(where, moved_database(_runs(one)))
                return left_open(one, why if _is_at_hit(one) else f"{why}: {IN_TWIN}")
    return one


def _runs(one: Compared) -> Iterator[Ran]:
    yield from (run for run in (one.control, one.candidate) if run is not None)


class _Side:
    """All texts as they are before, or after."""

    def __init__(
        self, changes: Sequence[Change], ran: Functions, entry: str, is_new: bool
    ) -> None:
        self._changed = {
            change.file: change.difference.new if is_new else change.difference.old
            for change in changes
        }
        self._texts = {
            change.file: Text(change.new if is_new else change.old) for change in changes
        }
        self._texts |= {file: Text(text) for file, text in other_texts(ran, changes).items()}
        for file, text in self._texts.items():
            for other, functions in list(self._texts.items()):
                if other != file:
                    named = [one for one in functions.functions if (other, one[0]) in ran]
                    text.know(other, named)
        self._functions = [
            (file, qualname, function)
            for file, text in self._texts.items()
            for qualname, function in text.functions
            if (file, qualname) in ran
        ]
        self._arguments = Arguments(self._texts, ran, entry)

    def deciding(self) -> set[tuple[str, int]]:
        """Return the changed lines that decide by what is no parameter of the entry, and comes
        of none."""
        return {
            (file, line)
            for file, qualname, function in self._functions
            if file in self._changed
            for statement, _ in within_of(function)
            if not self._changed[file].isdisjoint(head(statement))
            and _decides(
                statement,
                self._arguments.steady((file, qualname), self._texts[file], function),
            )
            for line in head(statement)
        }


def _decides(statement: ast.stmt, steady: Steady) -> bool:
    """Tell whether a statement does one thing or another by what is not steady."""
    nodes = list(own_nodes(statement))
    calls = [one for one in nodes if isinstance(one, ast.Call)]
    if any(last_of(one.func) in _ASKS and not steady.is_steady(one) and not inserts(one)
           for one in calls):  # fmt: skip
        return True
    chosen = [one for one in nodes if isinstance(one, _CHOOSES)]
    if isinstance(statement, _DECIDES) and not steady.is_steady(statement):
        return True
    return not all(map(steady.is_steady, chosen))
