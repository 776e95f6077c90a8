"""Whether the old side of a diff is what the service has loaded, where its files say otherwise.

In the checkout in which a change was made the file has it already, while the service that was
started there before still runs what it has imported. The old text is then that of the diff,
and what the service has loaded says whether it is the one: its functions and what its modules
hold, by digests. Where these do not say so, nothing is run.
"""

from collections.abc import Iterable
from pathlib import Path, PurePath

from leadline.trial.candidate import Candidate
from leadline.trial.place import Ready
from leadline.verify.calls import Home
from leadline.wire.call import NOT_LOOKED_AT
from leadline.wire.errors import RefusedError

_TAKEN_BACK = "{} has the change already: what the service has loaded is the text before it"
_MADE = "{} is there already, and the service has not loaded it"
_EDITED = "{} is not what the service has loaded: it was edited since, or is changed at import"
_INSTALLED = frozenset(("site-packages", "dist-packages"))
_HINT = (
    "If it was started before the change was made, name a checkout of what it runs with "
    "--path: git worktree add makes one."
)


def loaded_of(
    candidate: Candidate, home: Home, *, in_twin: bool = False
) -> dict[str, list[str]]:
    """Return the digests of what the service has loaded of the candidate's files, as far as it
    is known. Raises `RefusedError` where it is not of one that the change was taken back from,
    or the service has loaded one that the candidate makes. What it has not loaded at all no
    call has met: in a fresh place the old text of that is found, but in a twin the new one,
    which is on the disk."""
    found: dict[str, list[str]] = {}
    for change in candidate.changes:
        file, digests = change.file, _of_file(change.file, home)
        is_known = digests is not None and NOT_LOOKED_AT not in digests
        if file in candidate.taken_back:
            if digests is not None and change.old is None:
                raise _refused(file, "the service has loaded it")
            on_disk = in_twin and change.old is not None
            if digests is None and not on_disk and _would_be_told(file, home):
                continue
            if not is_known:
                raise _refused(file, "it is not known what the service has loaded of it")
        if digests is not None and is_known and change.old is not None:
            found[file] = digests
    return found


def check_loaded(
    candidate: Candidate, loaded: Iterable[str], control: Ready, tried: Ready
) -> None:
    """Raise `RefusedError` where what a control has imported of the files that the change was
    taken back from is not what the service has loaded, or nothing says that what the candidate
    has is not it. `loaded` are the files that `loaded_of` has told."""
    for change in candidate.changes:
        if change.file not in loaded or change.file not in candidate.taken_back:
            continue
        if change.file not in control.as_loaded:
            why = "the service has loaded the file with it"
            if change.file not in tried.as_loaded:
                why = "without it the file is not what the service has loaded either"
            raise _refused(change.file, why)
        if change.file in tried.as_loaded and not _told_apart(
            change.difference.names, set(tried.moved) - set(control.moved)
        ):
            raise _refused(change.file, "nothing tells which one the service has loaded")


def taken_back(candidate: Candidate) -> list[str]:
    """Say of which files the old text is not the one on the disk."""
    made = {change.file for change in candidate.changes if change.old is None}
    return [
        (_MADE if file in made else _TAKEN_BACK).format(file) for file in candidate.taken_back
    ]


def edited(loaded: Iterable[str], control: Ready) -> list[str]:
    """Say of which files another text is on the disk than the service has loaded."""
    return [_EDITED.format(file) for file in loaded if file not in control.as_loaded]


def _told_apart(names: Iterable[str], moved: Iterable[str]) -> bool:
    """Whether what the modules hold tells the candidate's from what the service held."""
    last = {name.rpartition(".")[2] for name in names}
    return any(one.partition(":")[2].rpartition(".")[2] in last for one in moved)


def _of_file(file: str, home: Home) -> list[str] | None:
    """Return what is loaded of a file, also where it lies in another checkout than here."""
    real = str(Path(file).resolve())
    found = next((one for one in home.code if str(Path(one).resolve()) == real), None)
    if found is None:
        root = _root_of(real, home)
        ending = [one for one in home.code if root and one.endswith(real[len(root) :])]
        found = ending[0] if len(ending) == 1 else None
    return home.code[found] if found is not None else None


def _would_be_told(file: str, home: Home) -> bool:
    """Whether a file would be among those that are told if it was loaded: those of what is
    installed are not."""
    root = _root_of(file, home)
    beside = any(_root_of(one, home) == root for one in home.code)
    return bool(root) and beside and _INSTALLED.isdisjoint(PurePath(file).parts)


def _root_of(file: str, home: Home) -> str:
    """Return the entry of the import path that a file lies beneath, the nearest one."""
    real = Path(file).resolve()
    roots = {str(Path(one or home.cwd).resolve()) for one in home.path}
    return max((one for one in roots if real.is_relative_to(one)), key=len, default="")


def _refused(file: str, why: str) -> RefusedError:
    return RefusedError("not-applicable", f"{file} has the change already, and {why}.", _HINT)
