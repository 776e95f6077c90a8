"""What belongs to one process: threads, locks, connections, and what is made of them."""

from leadline.expression.layout import Layout

_RESOURCES = tuple(
    f"{module}."
    for module in """
        threading _thread _queue queue concurrent.futures asyncio _asyncio uvloop selectors
        select socket _socket ssl _ssl sqlite3 _io weakref _weakref _contextvars
        multiprocessing subprocess gevent greenlet
    """.split()
)
"""What these modules make belongs to one process, and so does what is derived from it, but for
exceptions and enumerations."""
_PLAIN = frozenset(
    """
    _io.StringIO _io.BytesIO _io._IOBase _io._TextIOBase _io._BufferedIOBase sqlite3.Row
    """.split()
)
_BY_NAME = "logging.Logger"
"""One of its name is what a process has once; it leads to all the others."""
STREAM = "_io._IOBase"
"""What all streams derive from: one of them can be a standard stream of the process."""


def is_resource(layout: Layout) -> bool:
    """Tell whether what a class makes belongs to one process."""
    names = layout.names
    if layout.is_enum or "builtins.BaseException" in names:
        return False
    return _BY_NAME in names or any(
        one.startswith(_RESOURCES) and one not in _PLAIN for one in names
    )
