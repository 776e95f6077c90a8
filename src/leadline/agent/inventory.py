"""What runs in this process: interpreter, packages, modules. Read, never asked.

Packages are read from the metadata that installers leave beside them, as plain files: the
library for that would be one more import in somebody else's process, and it asks the
application's own finders. Nothing of the environment's variables is told, nor the command line.
"""

import os
import sys
from collections.abc import Iterator
from types import ModuleType

from leadline import __version__
from leadline.agent.locate.modules import module_file, module_namespace
from leadline.expression.layout import exact
from leadline.wire.inventory import (
    MAX_MODULES,
    MAX_PACKAGES,
    MAX_PATH_CHARS,
    Inventory,
    ModuleEntry,
    Modules,
    PackageEntry,
)

MAX_METADATA_BYTES = 20_000
"""Of a package's METADATA: name and version stand in its first lines."""
MAX_RECORD_BYTES = 500_000
"""Of a package's list of files, from which its modules are known."""
_ROOTS = 100
"""Folders of the import path that are looked at."""
_NAMES = 10
"""Imported names that are told of one package."""
_METADATA = (".dist-info", ".egg-info")


def inventory(core: str) -> Inventory:
    """Return what runs here. Reads some files for each installed package."""
    loaded = _loaded()
    names = {name.partition(".")[0] for name, _ in loaded}
    packages = sorted(_packages(names), key=lambda one: one.name.lower())
    return Inventory(
        environment=environment(core),
        packages=packages[:MAX_PACKAGES],
        modules=len(loaded),
        omitted=max(0, len(packages) - MAX_PACKAGES),
    )


def modules() -> Modules:
    """Return the loaded modules by name."""
    entries = []
    loaded = sorted(_loaded(), key=lambda pair: pair[0])
    for name, module in loaded[:MAX_MODULES]:
        file = module_file(module)
        readable = file.endswith((".py", ".pyw")) or name == "__main__"
        entries.append(
            ModuleEntry(name[:MAX_PATH_CHARS], file[:MAX_PATH_CHARS], bool(file) and readable)
        )
    return Modules(entries, max(0, len(loaded) - MAX_MODULES))


def environment(core: str) -> dict[str, str]:
    """Return what of the surroundings matters to whoever debugs."""
    system = os.uname()
    tools = [
        f"{tool}: {exact(name)[:50]}"
        for tool in range(6)
        if (name := sys.monitoring.get_tool(tool)) is not None
    ]
    gil = getattr(sys, "_is_gil_enabled", None)
    return {
        "python": sys.version.replace("\n", " "),
        "implementation": f"{sys.implementation.name} ({sys.implementation.cache_tag})",
        "executable": os.path.basename(sys.executable or ""),
        "virtual environment": "yes" if sys.prefix != sys.base_prefix else "no",
        "gil": "off" if gil is not None and not gil() else "on",
        "platform": f"{system.sysname} {system.release} {system.machine}",
        "processors": str(os.cpu_count() or "unknown"),
        "agent": __version__,
        "core": core,
        "monitoring tools": ", ".join(tools) or "none",
    }


def _loaded() -> list[tuple[str, ModuleType]]:
    """Return the loaded modules by name; what only pretends to be one is left out."""
    return [
        (name, module)
        for name, module in list(sys.modules.items())
        if type(name) is str and module_namespace(module) is not None
    ]


def _packages(names: set[str]) -> Iterator[PackageEntry]:
    """Yield the installed packages of which one of `names` was imported, each once: the first
    on the import path is the one that an import finds."""
    seen: set[str] = set()
    for root in [root for root in sys.path if type(root) is str][:_ROOTS]:
        for folder in _metadata_in(root):
            entry = _package(root, folder, names)
            if entry is not None and entry.name.lower() not in seen:
                seen.add(entry.name.lower())
                yield entry


def _metadata_in(root: str) -> list[str]:
    try:
        with os.scandir(root or ".") as entries:
            return sorted(one.path for one in entries if one.name.endswith(_METADATA))
    except OSError:  # an archive, or gone
        return []


def _package(root: str, folder: str, names: set[str]) -> PackageEntry | None:
    """Return a package if one of its modules is loaded."""
    imported = sorted(names & _modules_of(folder))
    if not imported:
        return None
    head = _head(folder)
    return PackageEntry(
        name=head.get("name", os.path.basename(folder).partition("-")[0])[:200],
        version=head.get("version", "")[:100],
        location=os.path.abspath(root or ".")[:MAX_PATH_CHARS],
        origin=_origin(folder),
        modules=imported[:_NAMES],
    )


def _head(folder: str) -> dict[str, str]:
    """Return the headers of a package's metadata, with their names in lower case."""
    text = _text(f"{folder}/METADATA", MAX_METADATA_BYTES)
    text = text or _text(f"{folder}/PKG-INFO", MAX_METADATA_BYTES)
    found: dict[str, str] = {}
    for line in text.splitlines():
        if not line:
            break  # the description
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip().lower(), value.strip())
    return found


def _modules_of(folder: str) -> set[str]:
    """Return the top-level names that a package brings."""
    named = set(_text(f"{folder}/top_level.txt", MAX_METADATA_BYTES).split())
    if named:
        return named
    found = set()
    for line in _text(f"{folder}/RECORD", MAX_RECORD_BYTES).splitlines():
        first, slash, _ = line.partition(",")[0].strip('"').partition("/")
        if not slash:
            first, dot, ending = first.partition(".")
            if not dot or not ending.endswith(("py", "so", "pyd")):
                continue
        found.add(first)
    return found


def _origin(folder: str) -> str:
    """Return how a package came here, if not from an index. Its address can hold a password,
    so it is not told."""
    direct = _text(f"{folder}/direct_url.json", MAX_METADATA_BYTES)
    if '"editable": true' in direct or '"editable":true' in direct:
        return "editable"
    if '"vcs_info"' in direct:
        return "vcs"
    return "archive" if direct else ""


def _text(path: str, most: int) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(most).decode("utf-8", "replace")
    except OSError:
        return ""
