"""The files that a service runs, found by the names that a diff has for them."""

from collections.abc import Callable, Sequence
from pathlib import Path

from leadline.trial.candidate import decoded
from leadline.wire.errors import UsageError

type Read = Callable[[str], tuple[str, str] | None]


def finder(path: Sequence[str], folder: str) -> Read:
    """Return what finds a file by its name in a diff: the longest end of that name that is a
    file beneath an entry of the import path, or beneath `folder`.

    Where two files fit equally well, the one beneath the first entry is what an import finds:
    `--path` is first. Else it raises `UsageError` (`bad-patch`).
    """
    roots = list(dict.fromkeys(str(Path(one or folder).resolve()) for one in (*path, folder)))

    def read(name: str) -> tuple[str, str] | None:
        parts = [part for part in name.split("/") if part not in ("", ".", "..")]
        for start in range(len(parts)):
            tail = "/".join(parts[start:])
            here = (Path(root, tail) for root in roots)
            found = list(dict.fromkeys(str(one.resolve()) for one in here if one.is_file()))
            if len(found) > 1 and not found[0].startswith(f"{roots[0]}/"):
                raise UsageError(
                    "bad-patch",
                    f"{name} of the diff may be {found[0]} or {found[1]}.",
                    "Give more of its path in the diff, or less with --path.",
                )
            if found:
                return found[0], decoded(Path(found[0]).read_bytes())
        return None

    return read
