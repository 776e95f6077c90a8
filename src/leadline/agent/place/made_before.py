"""Objects of a call that were made by the old code, where the candidate makes them otherwise
(`trial.remade`)."""

import os
import sys
from collections.abc import Mapping
from typing import Any

_SAID = (
    "objects of {} that the call is given were made by the old code, and the new code makes "
    "them otherwise; an --entry in which they are made would tell"
)


def made_before(
    document: Mapping[str, Any], remade: Mapping[str, list[str]], entry: str
) -> str:
    """Return what stands in the way of running the candidate on the objects of a document;
    nothing where none is of a class that is `remade`, by file and qualified names. What the
    `entry` makes itself it is given empty."""
    if not remade:
        return ""
    nodes = document.get("nodes", ())
    numbers = {node["c"] for node in nodes if "c" in node and node.get("k") != "member"}
    for number in sorted(numbers):
        cls = _found(nodes[number])
        for base in cls.__mro__ if cls is not None else ():
            file = getattr(sys.modules.get(base.__module__), "__file__", None)
            names = remade.get(os.path.realpath(file), ()) if type(file) is str else ()
            made = f"{base.__module__}:{base.__qualname__}."
            if base.__qualname__ in names and not entry.startswith(f"{made}__"):
                return _SAID.format(base.__qualname__)
    return ""


def _found(node: Mapping[str, Any]) -> type | None:
    """Return the class that a node names; it is imported already, or no candidate's."""
    found: Any = sys.modules.get(str(node.get("m")))
    for name in str(node.get("t", "")).split("."):
        found = getattr(found, name, None)
    return found if isinstance(found, type) else None
