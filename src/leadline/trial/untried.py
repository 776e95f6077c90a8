"""What of a diff is not tried: files that are no Python, and that the service may read, and
such of Python as were not found where the service has its code.

A table of rates, a template, a statement of SQL can change all that a service answers, and only
Python is put in another's place. So nothing good is said of a candidate with such a part.
"""

import json
import re
from typing import Any

from leadline.trial.unified import FilePatch
from leadline.wire.struct import dataclass

try:  # `hashlib` loads OpenSSL: 4 MB of somebody else's memory for this one digest
    from _sha2 import sha256  # type: ignore[import-not-found]
except ImportError:
    from hashlib import sha256

_INERT = frozenset("png jpg jpeg gif ico webp pdf gitignore gitattributes editorconfig".split())
_TEXTS = frozenset(("", "md", "rst", "adoc", "txt"))
"""What texts for people end with. Prompts and mails that a service sends do so too."""
_FOR_PEOPLE = re.compile(
    r"(?i:readme|changelog|contributing)([-._].*)?|LICEN[CS]E([-._].*)?|COPYING|NOTICE|AUTHORS"
    r"|CODEOWNERS|CHANGES|HISTORY|NEWS|SECURITY|SUPPORT|MAINTAINERS|CODE_OF_CONDUCT|UPGRADING"
    r"|INSTALL|GOVERNANCE"
)
_IS_TEST = re.compile(r"test_.*|.*_tests?|conftest|setup|noxfile")
_FOLDERS = frozenset("tests test docs doc .github newsfragments changelog.d".split())


@dataclass(frozen=True, slots=True)
class Untried:
    """A file, and the SHA-256 of what the diff does to it."""

    name: str
    digest: str


def is_inert(name: str) -> bool:
    """Tell by its name whether no service reads a file: an image, a test, or such a text for
    people as everybody names so."""
    *folders, last = name.split("/")
    stem, dot, suffix = last.rpartition(".")
    if not dot:
        stem, suffix = last, ""
    return (
        suffix.lower() in _INERT
        or (suffix.lower() in _TEXTS and _FOR_PEOPLE.fullmatch(stem) is not None)
        or not _FOLDERS.isdisjoint(folders)
        or (suffix == "py" and _IS_TEST.fullmatch(stem) is not None)
    )


def untried_of(patch: FilePatch) -> Untried:
    """Return what stands for a part of a diff."""
    lines = [list(line) for hunk in patch.hunks for line in hunk.lines]
    return Untried(patch.name, digest_of([patch.old, patch.new, str(patch.kind), lines]))


def digest_of(said: Any) -> str:
    """Return the SHA-256, in hexadecimal, of what JSON can hold."""
    text = json.dumps(said, ensure_ascii=True, separators=(",", ":"))
    return str(sha256(text.encode("ascii")).hexdigest())
