"""The files that a service runs, found by the names that a diff has for them."""

from collections.abc import Callable, Sequence
from pathlib import Path

from leadline.trial.candidate import decoded

type Read = Callable[[str], tuple[str, str] | None]


def finder(path: Sequence[str], folder: str) -> Read:
    """Return what finds a file by its name in a diff: the longest end of that name that is a
    file beneath an entry of the import path, or beneath `folder`; beneath the first of those,
    as an import would find it."""
    roots = list(dict.fromkeys(str(Path(one or folder).resolve()) for one in (*path, folder)))

    def read(name: str) -> tuple[str, str] | None:
        parts = [part for part in name.split("/") if part not in ("", ".", "..")]
        for start in range(len(parts)):
            tail = "/".join(parts[start:])
            here = (Path(root, tail).resolve() for root in roots)
            found = next((one for one in here if one.is_file()), None)
            if found is not None:
                return str(found), decoded(found.read_bytes())
        return None

    return read
