"""The files that a page loads, under an address that changes with them.

Since the address holds a digest of all of them, a browser may keep them for ever, and a server
that was replaced is never looked at through the scripts of the one before.
"""

import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from leadline.wire.struct import dataclass

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, as it is sent."""

    content: bytes
    kind: str


@cache
def assets() -> dict[str, Asset]:
    """Return all files by their path below `static`; what is not here cannot be asked for."""
    found: dict[str, Asset] = {}
    _collect(files("leadline.web").joinpath("static"), "", found)
    return found


@cache
def digest() -> str:
    """Return what stands in the address of every file."""
    whole = hashlib.sha256()
    for path, asset in sorted(assets().items()):
        whole.update(f"{path}\0{len(asset.content)}\0".encode())
        whole.update(asset.content)
    return whole.hexdigest()[:16]


def address(path: str) -> str:
    """Return where a file of `static` is; a name that is none is a mistake of ours."""
    if path not in assets():
        raise LookupError(f"there is no static file {path}")
    return f"/static/{digest()}/{path}"


def _collect(folder: Traversable, path: str, found: dict[str, Asset]) -> None:
    for one in folder.iterdir():
        name = f"{path}{one.name}"
        if one.is_dir():
            _collect(one, f"{name}/", found)
        elif kind := _TYPES.get(f".{one.name.rpartition('.')[2]}"):
            found[name] = Asset(one.read_bytes(), kind)
