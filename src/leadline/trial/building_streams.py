"""How streams in memory are made again. For a sealed process; see `trial.rebuilding`."""

import _io
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from leadline.wire.errors import RefusedError

if TYPE_CHECKING:
    from leadline.trial.building import Make, Node, Site

TEXT_WRAPPER = "text_wrapper"


def _shell(base: Any) -> "Make":
    return lambda site, node: base.__new__(site.class_of(node, base))


def _fill(base: Any) -> Any:
    def put(site: "Site", obj: Any, node: "Node") -> None:
        *parts, attributes = site.items(node)
        base.__setstate__(obj, (*parts, attributes))

    return put


def _fill_wrapper(site: "Site", obj: Any, node: "Node") -> None:
    *parts, attributes = site.items(node)
    if parts:
        *made_with, waiting, ahead = parts
        _read_ahead(obj, made_with, ahead, node["n"])
        if waiting:
            io.TextIOWrapper.write(obj, waiting)
    if attributes:
        vars(obj).update(attributes)


def _read_ahead(obj: Any, made_with: list[Any], ahead: bytes | None, used: int) -> None:
    """Begin a text stream, and read again what had been read and not all given out."""
    if ahead is None:
        io.TextIOWrapper.__init__(obj, *made_with)
        return
    beneath = made_with[0]
    at = beneath.tell()
    beneath.seek(at - len(ahead))
    io.TextIOWrapper.__init__(obj, *made_with)
    io.TextIOWrapper.read(obj, used)
    if beneath.tell() != at:
        raise RefusedError(
            "not-rebuildable",
            "The arguments cannot be rebuilt: what a text stream has read ahead is not there.",
        )


def namespace_of_stream(cls: type) -> Callable[[Any], Any] | None:
    """Return what gives the dictionary of instances of a stream's class that is written in
    Python: their base class has it, and they have none of their own."""
    is_stream = _io._IOBase in cls.__mro__  # noqa: SLF001 - has no other name
    return vars(_io._IOBase)["__dict__"].__get__ if is_stream else None  # noqa: SLF001


STREAMS: dict[str, "Make"] = {
    "text_stream": _shell(io.StringIO),
    "byte_stream": _shell(io.BytesIO),
    TEXT_WRAPPER: _shell(io.TextIOWrapper),
}
"""What can be referred to before it holds anything."""

FILLED_STREAMS: dict[str, Any] = {
    "text_stream": _fill(io.StringIO),
    "byte_stream": _fill(io.BytesIO),
    TEXT_WRAPPER: _fill_wrapper,
}
