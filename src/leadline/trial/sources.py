"""Which file of a service a diff means by a name, and what it reads.

A diff knows its repository and a service its import path; what both have in common is what the
module is imported by.
"""

import io
import tokenize
from collections.abc import Callable, Iterable
from pathlib import Path

from leadline.wire.errors import UsageError

type Read = Callable[[str], tuple[str, str] | None]
"""Given a file's name as a diff has it, return the absolute path of the file that the service
runs and its text, or None where it runs no such file."""


def reader(
    modules: Iterable[tuple[str, str]], text_of: Callable[[str], str | None] | None = None
) -> Read:
    """Return how to find the files of a diff among loaded modules: names and files.

    A diff's `src/shop/pricing.py` is `/srv/shop/pricing.py` as it ends with what the module
    is imported by; `pricing.py` alone, as git says inside the package, is it as well. Of
    several the one with the longest end in common is meant; two that are as near raise
    `UsageError` (`ambiguous-file`).
    """
    known = {file: _imported_as(module, file) for module, file in modules if file}
    get = text_of or text_on_disk

    def read(name: str) -> tuple[str, str] | None:
        scored = sorted((_common(name, file, own), file) for file, own in known.items())
        fitting = [(score, file) for score, file in scored if score]
        if not fitting:
            return None
        best = [file for score, file in fitting if score == fitting[-1][0]]
        if len(best) > 1:
            raise UsageError(
                "ambiguous-file",
                f"{name} of the diff may be {' or '.join(best[:3])}.",
                "Give the diff from further up, so that its names have more folders.",
            )
        text = get(best[0])
        return None if text is None else (best[0], text)

    return read


def _imported_as(module: str, file: str) -> str:
    """Return the end of a file's path that is its module's name: `shop/pricing.py`."""
    parts = file.split("/")
    depth = module.count(".") + 1 + (parts[-1] == "__init__.py")
    return "/".join(parts[-depth:])


def _common(name: str, file: str, own: str) -> int:
    """Return how many parts the ends of both have in common; 0 if they are not the same file.

    One must be the whole end of the other, or both go on to the top of the package."""
    wanted, real = name.split("/"), file.split("/")
    common = 0
    while common < min(len(wanted), len(real)) and wanted[-common - 1] == real[-common - 1]:
        common += 1
    enough = min(len(wanted), own.count("/") + 1)
    return common if common >= enough else 0


def text_on_disk(path: str) -> str | None:
    """Return the text of a file; None where it cannot be read."""
    try:
        data = Path(path).read_bytes()
    except OSError:
        return None
    return decoded(data)


def decoded(data: bytes) -> str:
    """Return the text of a Python file by the encoding that it names, its line ends kept."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        return data.decode("utf-8", "surrogateescape")
