"""How instances of classes of the standard library are made again, whose modules few programs
have loaded. For a sealed process; see `trial.rebuilding`.
"""

import contextlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadline.trial.building import Node, Site


def sql_row(site: "Site", node: "Node") -> Any:
    """A row is made by a cursor that knows the columns: of a database of its own, in memory."""
    import sqlite3  # noqa: PLC0415 - only for those that have it loaded already

    names = [site.get(name).replace('"', '""') for name, _ in node["p"]]
    columns = ", ".join(f'null as "{name}"' for name in names)
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        cursor = database.execute(f"select {columns}")
        return sqlite3.Row(cursor, tuple(site.get(ref) for _, ref in node["p"]))


def executor(_: "Site", node: "Node") -> Any:
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - few need it

    return ThreadPoolExecutor(node["n"])


def element(site: "Site", node: "Node") -> Any:
    from xml.etree.ElementTree import Element  # noqa: PLC0415 - few need it

    return Element.__new__(site.class_of(node, Element))
