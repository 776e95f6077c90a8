"""How classes that functions have made are made again: from what they derive, and what lies in
them; nobody is told of it. For a sealed process; see `trial.rebuilding`.
"""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadline.trial.building import Node, Site

CLASS = "class"


def new_class(site: "Site", node: "Node") -> type:
    """Return the class with nothing in it but its slots, so that it can be referred to."""
    bases = tuple(site.class_at(ref[0]) for ref in node["i"])
    module, qualname = node["m"], sys.intern(node["t"])
    members: dict[str, Any] = {
        "__module__": site.modules.get(module, module),
        "__qualname__": qualname,
    }
    if "q" in node:
        members["__slots__"] = tuple(node["q"])
    meta: Any = site.class_of(node, type)
    made: type = meta.__new__(meta, qualname.rpartition(".")[2], bases, members)
    return made


def fill_class(site: "Site", cls: type, node: "Node") -> None:
    """Put into it what lay in it. Descriptors know their names already."""
    for name, ref in node["a"].items():
        type.__setattr__(cls, name, site.get(ref))
