"""A change of a service's code that is to be verified: each changed file, before and after.

It comes from a diff, from one file or from git, is matched to the files that the service runs
by the ends of their paths, and is bound to both texts by its digest: an approval of one
candidate is none of another, nor of the same diff on another version.
"""

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Any

from leadline.trial.difference import Difference, difference
from leadline.trial.patch import BOM, FilePatch, Kind, apply, lines_of, parse, taken_back
from leadline.trial.reachable import readers
from leadline.trial.sources import Read, decoded, reader
from leadline.trial.untried import Untried, digest_of, is_inert, untried_of
from leadline.wire.errors import RefusedError, UsageError, WireError
from leadline.wire.struct import dataclass

MAX_ENTRY_POINTS = 100
"""More functions around a change than anybody would try one after the other."""
NOT_PUT_IN = "The candidate cannot be put into the running code"
"""How the sentence begins that says why a twin tries no candidate."""


@dataclass(frozen=True, slots=True)
class Change:
    """One file before and after. `old` is None for a file that is new, `new` for one that goes.

    `removed` are the lines of `old` that the diff takes out or replaces, `added` the lines of
    `new` that it brings: what a person sees. What a run can reach is `touched_old` and
    `touched_new`.
    """

    file: str
    old: str | None
    new: str | None
    removed: frozenset[int] = frozenset()
    added: frozenset[int] = frozenset()

    @property
    def difference(self) -> Difference:
        """What is another between both; nothing where one of them is no Python."""
        try:
            return difference(self.old or "", self.new or "")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return Difference(same=False)

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions that are in both with another definition: `Basket.total`."""
        return self.difference.functions

    @property
    def same_code(self) -> bool:
        """Whether only comments, blanks and line breaks are others."""
        return self.old is not None and self.new is not None and self.difference.same


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is to be verified. `notes` say what was left out of it and what fitted elsewhere;
    the digest is of the changes, and of what is `untried`: files of the diff that are no
    Python, and that the service may read. `taken_back` are the files that have the change on
    the disk already: their old text is what the diff says was there before."""

    title: str
    changes: tuple[Change, ...]
    digest: str
    notes: tuple[str, ...] = ()
    untried: tuple[Untried, ...] = ()
    taken_back: tuple[str, ...] = ()

    @property
    def same_code(self) -> bool:
        """Whether nothing is changed that runs."""
        return all(change.same_code for change in self.changes)

    @property
    def sources(self) -> dict[str, str | None]:
        """The new text of each file, None for one that goes: what `overlay` serves."""
        return {change.file: change.new for change in self.changes}

    @property
    def old_sources(self) -> dict[str, str | None]:
        """The old text of each file, for the control."""
        return {change.file: change.old for change in self.changes}


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """A function whose calls may show the change, and why it is thought of."""

    file: str
    function: str
    why: str
    changed: bool = False


def make(
    title: str,
    changes: Iterable[Change],
    notes: Iterable[str] = (),
    untried: Iterable[Untried] = (),
    taken_back: Iterable[str] = (),
) -> Candidate:
    """Return a candidate of these changes, in the order of their files."""
    ordered = tuple(sorted(changes, key=lambda change: change.file))
    aside = tuple(sorted(untried, key=lambda one: one.name))
    back = tuple(sorted(taken_back))
    return Candidate(title, ordered, _digest(ordered, aside), tuple(notes), aside, back)


def _digest(changes: Iterable[Change], untried: Iterable[Untried]) -> str:
    said: list[Any] = [[one.file, one.old, one.new] for one in changes]
    said += [[one.name, one.digest] for one in untried]
    return digest_of(said)


def from_diff(text: str, read: Read, title: str = "", folder: str = "") -> Candidate:
    """Read a unified diff and put it into the files that the service runs.

    `folder` is where new files of the diff belong whose place cannot be told by the files
    around them. What is no Python, or no file of the service, is left out with a note. Where a
    file has the change already, as in the checkout in which it was made, the old text is what
    it was before: whether that is what the service has loaded is for others to find out.
    Raises `UsageError` (`bad-patch`), `RefusedError` (`not-applicable`).
    """
    patches = parse(text)
    notes: list[str] = []
    untried: list[Untried] = []
    back: list[str] = []
    changes: dict[str, Change] = {}
    places = _Places(read, folder)
    for patch in sorted(patches, key=lambda one: one.kind is Kind.CREATED):
        if not patch.name.endswith((".py", ".pyw")):
            notes.append(f"{patch.name}: left out, it is no Python source")
            if not is_inert(patch.name):
                untried.append(untried_of(patch))
            continue
        if patch.kind is Kind.BINARY:
            raise UsageError(
                "bad-patch",
                f"Line {patch.line} of the diff says that {patch.name} is no text.",
                "Make the diff with `git diff --text`.",
            )
        found = list(_changes(patch, places, notes, back))
        if not found:
            notes.append(f"{patch.name}: left out, the service runs no such file")
            if not is_inert(patch.name):  # or it lies elsewhere than we have looked
                untried.append(untried_of(patch))
        for change in found:
            if change.file in changes:
                raise UsageError(
                    "bad-patch",
                    f"Line {patch.line} of the diff changes {change.file} once more.",
                    "Make one diff of both changes.",
                )
            changes[change.file] = change
    if not changes:
        raise UsageError(
            "bad-patch",
            "Nothing in the diff is a file that the service runs.",
            "\n".join(notes),
        )
    return make(title or _title(patches), changes.values(), notes, untried, back)


def _title(patches: list[FilePatch]) -> str:
    rest = f" and {len(patches) - 1} more" if len(patches) > 1 else ""
    return f"{patches[0].name}{rest}"


class _Places:
    """Where files of a diff are in the service."""

    def __init__(self, read: Read, folder: str) -> None:
        self._read, self._folder = read, folder
        self._roots: dict[str, str] = {}

    def find(self, *names: str) -> tuple[str, str] | None:
        """Return the path and the text of the first of these names that the service has."""
        for name in dict.fromkeys(names):
            found = self._read(name)
            if found is not None:
                path, text = found
                self._learn(name, path)
                return path, text.removeprefix(BOM)
        return None

    def _learn(self, name: str, path: str) -> None:
        said, real = name.split("/"), path.split("/")
        while said and len(real) > 1 and said[-1] == real[-1]:
            said.pop()
            real.pop()
            self._roots.setdefault("/".join(said), "/".join(real))

    def of_new(self, name: str) -> str:
        """Return the path for a new file; empty where it cannot be told."""
        parts = name.split("/")
        for cut in range(len(parts) - 1, -1, -1):
            above, below = "/".join(parts[:cut]), "/".join(parts[cut:])
            if above in self._roots:
                return f"{self._roots[above]}/{below}"
            if above and self.find(f"{above}/__init__.py"):
                return f"{self._roots[above]}/{below}"
        return f"{self._folder.rstrip('/')}/{name}" if self._folder else ""


def _changes(
    patch: FilePatch, places: _Places, notes: list[str], back: list[str]
) -> Iterable[Change]:
    created = patch.kind in (Kind.CREATED, Kind.COPIED)
    found = places.find(patch.old if patch.kind is Kind.COPIED else patch.new, patch.old)
    if found is None:
        if patch.kind is Kind.CREATED or (patch.of_nothing and patch.kind is Kind.MODIFIED):
            path = places.of_new(patch.new)
            if path:
                yield _change(patch, path, None, notes, back)
        return
    path, text = found
    if patch.kind is Kind.CREATED and _made(patch) == text.strip() != "":
        back.append(path)
        yield of_texts(path, None, text)
        return
    if patch.kind is Kind.CREATED and text.strip():
        raise RefusedError(
            "not-applicable",
            f"{patch.name}: line {patch.line} of the diff makes this file, and the service has "
            f"it already.",
            "Make the diff against the version that the service runs.",
        )
    if created and patch.kind is Kind.COPIED:
        yield from _moved(patch, path, text, places, notes, keep=True)
    elif patch.kind is Kind.RENAMED:
        if path.endswith(f"/{patch.new}") and places.find(patch.old) in (None, found):
            raise RefusedError(
                "not-applicable",
                f"{patch.name}: line {patch.line} of the diff renames this file, and that is "
                "done already where the service has its code.",
                "Name a checkout of what it runs with --path: git worktree add makes one.",
            )
        yield from _moved(patch, path, text, places, notes, keep=False)
    else:
        yield _change(patch, path, text, notes, back)


def _made(patch: FilePatch) -> str:
    """Return the text that a diff makes of nothing, without the blanks around it."""
    return apply(patch, "").text.removeprefix(BOM).strip()


def _change(
    patch: FilePatch, path: str, old: str | None, notes: list[str], back: list[str]
) -> Change:
    try:
        patched = apply(patch, old or "")
    except RefusedError:
        before = taken_back(patch, old or "") if patch.kind is Kind.MODIFIED else None
        if before is None:
            raise
        back.append(path)
        return of_texts(path, before.text.removeprefix(BOM), old)
    notes += patched.notes
    new = None if patch.kind is Kind.DELETED else patched.text.removeprefix(BOM)
    return Change(path, old, new, patched.removed, patched.added)


def _moved(
    patch: FilePatch, path: str, text: str, places: _Places, notes: list[str], *, keep: bool
) -> Iterable[Change]:
    target = places.of_new(patch.new)
    if not target:
        return
    patched = apply(patch, text)
    notes += patched.notes
    if not keep:
        yield Change(path, text, None, patched.removed)
    yield Change(target, None, patched.text, frozenset(), patched.added)


def from_file(path_in_service: str, text: str, read: Read, title: str = "") -> Candidate:
    """Take `text` as the new version of one file that the service runs."""
    found = read(path_in_service)
    if found is None:
        raise UsageError(
            "bad-patch",
            f"The service runs no file {path_in_service}.",
            "Name it by the end of its path: shop/pricing.py.",
        )
    path, old = found
    change = of_texts(path, old.removeprefix(BOM), text.removeprefix(BOM))
    return make(title or path_in_service, [change])


def of_texts(path: str, old: str | None, new: str | None) -> Change:
    """Return the change from one text to another, with the lines that differ."""
    before, after = lines_of(old or ""), lines_of(new or "")
    matcher = SequenceMatcher(None, before, after, autojunk=len(before) > 5_000)
    removed: set[int] = set()
    added: set[int] = set()
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            removed |= set(range(a + 1, b + 1))
            added |= set(range(c + 1, d + 1))
    return Change(path, old, new, frozenset(removed), frozenset(added))


def obstacles(candidate: Candidate) -> list[str]:
    """Say all that keeps a candidate from running at all, one sentence each."""
    said: list[str] = []
    for change in candidate.changes:
        if change.new is None:
            continue
        try:
            compile(change.new, change.file, "exec", dont_inherit=True)
        except SyntaxError as error:
            line = f":{error.lineno}" if error.lineno else ""
            said.append(f"{change.file}{line} cannot be compiled: {error.msg}")
        except (ValueError, OverflowError) as error:
            said.append(f"{change.file} cannot be compiled: {error}")
        except (RecursionError, MemoryError):
            said.append(f"{change.file} is nested too deeply to be compiled")
    if not said and all(change.old == change.new for change in candidate.changes):
        said.append("the candidate is what the service runs already")
    return said


def touched_old(change: Change, *, beside: bool = True) -> frozenset[int]:
    """Return the lines of the old code that a run must reach to have met the change.

    With `beside`, an insertion is stood for by the line that is reached next after it.
    """
    found = change.difference
    return found.old | found.beside_old if beside else found.old


def touched_new(change: Change, *, beside: bool = True) -> frozenset[int]:
    """Return the lines of the new code that a run must reach to have met the change.

    With `beside`, a deletion is stood for by the line that is reached next after it.
    """
    found = change.difference
    return found.new | found.beside_new if beside else found.new


def entry_points(candidate: Candidate) -> list[EntryPoint]:
    """Return the functions whose calls may show the change, the nearest first: the changed
    ones, then those of the same file that read what is changed, and so on outwards."""
    found: dict[tuple[str, str], EntryPoint] = {}
    for change in candidate.changes:
        if change.old is None or change.same_code:
            continue
        for function in change.functions:
            point = EntryPoint(change.file, function, "changed", changed=True)
            found[change.file, function] = point
        ring = {*change.difference.names, *map(_read_as, change.functions)}
        known = set(ring)
        while ring and len(found) < MAX_ENTRY_POINTS:
            try:
                reading = readers(change.old, ring)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                break
            ring = {_read_as(one.function) for one in reading} - known
            known |= ring
            for one in sorted(reading, key=lambda one: (one.function, one.name)):
                point = EntryPoint(change.file, one.function, f"reads {one.name}")
                if "<" not in one.function:  # a lambda of the module has no name to call it by
                    found.setdefault((change.file, one.function), point)
    points = list(found.values())[:MAX_ENTRY_POINTS]
    return sorted(points, key=lambda point: not point.changed)


def _read_as(function: str) -> str:
    _, dot, name = function.rpartition(".")
    return f".{name}" if dot else name


def encode(candidate: Candidate) -> dict[str, Any]:
    """Return a candidate as JSON can hold it."""
    aside = [[one.name, one.digest] for one in candidate.untried]
    return ({"untried": aside} if aside else {}) | {
        "title": candidate.title,
        "digest": candidate.digest,
        "notes": list(candidate.notes),
        "changes": [
            {
                "file": one.file,
                "old": one.old,
                "new": one.new,
                "removed": sorted(one.removed),
                "added": sorted(one.added),
            }
            for one in candidate.changes
        ],
    }


def decode(value: Any) -> Candidate:
    """Read what `encode` wrote; raises `WireError`, also where the digest is of other texts."""
    try:
        changes = tuple(_read_change(one) for one in value["changes"])
        title, notes = value["title"], value["notes"]
        untried = tuple(Untried(name, digest) for name, digest in value.get("untried", ()))
        said = [title, *notes, *(text for one in untried for text in (one.name, one.digest))]
        fits = all(type(text) is str for text in said)
        whole = _digest(changes, untried)
        candidate = Candidate(title, changes, whole, tuple(notes), untried)
        if not changes or not fits or value["digest"] != candidate.digest:
            raise WireError("A candidate does not follow the contract.")
    except (KeyError, TypeError, ValueError, AttributeError):
        raise WireError("A candidate does not follow the contract.") from None
    return candidate


def _read_change(value: Any) -> Change:
    texts = value["old"], value["new"]
    lines = frozenset(value["removed"]), frozenset(value["added"])
    if (
        type(value["file"]) is not str
        or not all(text is None or type(text) is str for text in texts)
        or not all(type(one) is int for part in lines for one in part)
    ):
        raise WireError("A change does not follow the contract.")
    return Change(value["file"], *texts, *lines)


__all__ = [
    "NOT_PUT_IN",
    "Candidate",
    "Change",
    "EntryPoint",
    "Read",
    "decode",
    "decoded",
    "encode",
    "entry_points",
    "from_diff",
    "from_file",
    "make",
    "obstacles",
    "of_texts",
    "reader",
    "touched_new",
    "touched_old",
]
