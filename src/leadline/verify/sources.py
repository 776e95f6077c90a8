"""The files that a service runs, found by the names that a diff has for them."""

from collections.abc import Callable, Sequence
from pathlib import Path

from leadline.trial.candidate import decoded

type Read = Callable[[str], tuple[str, str] | None]


def finder(path: Sequence[str], folder: str, first: Sequence[str] = ()) -> Read:
    """Return what finds a file by its name in a diff: the longest end of that name that is a
    file beneath an entry of the import path, or beneath `folder`; beneath the first of those,
    as an import would find it. Where any end of it is beneath one of `first`, that is it: a
    checkout that was named, though the service's own code may lie beneath another entry."""
    roots = _resolved(folder, (*path, folder))

    def read(name: str) -> tuple[str, str] | None:
        parts = [part for part in name.split("/") if part not in ("", ".", "..")]
        tails = ["/".join(parts[start:]) for start in range(len(parts))]
        for some in (_resolved(folder, first), roots):
            here = (Path(root, tail).resolve() for tail in tails for root in some)
            found = next((one for one in here if one.is_file()), None)
            if found is not None:
                return str(found), decoded(found.read_bytes())
        return None

    return read


def _resolved(folder: str, entries: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(str(Path(one or folder).resolve()) for one in entries))
