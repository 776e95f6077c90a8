"""How streams in memory are read, to be written down: what they hold, where they stand, and
what has been read ahead or not yet passed on.

A text stream keeps most of that out of reach: asking where it stands would write what waits. So
it is read where C lays it out, by the function that reads every slot; that this is so is tried
once, on streams of our own. A stream over a file of the system is none of these.
"""

from __future__ import annotations

import _io
import ctypes
import sys
from typing import TYPE_CHECKING, Any

from leadline.agent.capture.holding import Extra, Node, Reader, hidden_state, named, opaque
from leadline.agent.capture.kept_functions import Slot, read_slot
from leadline.agent.capture.naming import Name
from leadline.agent.capture.obstacle import TOO_LARGE, Obstacle
from leadline.agent.capture.recognition import method
from leadline.expression.interruption import expected
from leadline.expression.layout import Layout, layout_of

if TYPE_CHECKING:
    from leadline.agent.capture.keeping import Keeper

STANDARD = ("stdin", "stdout", "stderr")
_INT, _OBJECT, _BOOL, _SIZE = 1, 6, 14, 19
"""Kinds of slots."""
_PLACES = {
    "ok": (_INT, 16),
    "detached": (_INT, 20),
    "chunk": (_SIZE, 24),
    "buffer": (_OBJECT, 32),
    "encoding": (_OBJECT, 40),
    "newline": (_OBJECT, 64),
    "errors": (_OBJECT, 72),
    "line_buffering": (_BOOL, 88),
    "write_through": (_BOOL, 89),
    "seekable": (_BOOL, 93),
    "telling": (_BOOL, 95),
    "decoded": (_OBJECT, 120),
    "used": (_SIZE, 128),
    "pending": (_OBJECT, 136),
    "snapshot": (_OBJECT, 152),
}
_SLOTS = {
    name: ctypes.pointer(Slot(b"", kind, at, 0, None)) for name, (kind, at) in _PLACES.items()
}
_SYSTEM = ("_io.FileIO", "_io._BufferedIOBase")
_IN_MEMORY = "_io.BytesIO"
_attributes: Any = vars(_io._IOBase)["__dict__"].__get__  # noqa: SLF001 - has no other name
_names: dict[str, Any] = vars(sys)


def _state(value: Any) -> dict[str, Any]:
    return {name: read_slot(value, slot) for name, slot in _SLOTS.items()}


def _as_expected() -> bool:
    if _io.TextIOWrapper.__basicsize__ != 200 or _io.TextIOWrapper.__dictoffset__ != 184:
        return False
    inner = _io.BytesIO(b"ab\ncd")
    reading = _io.TextIOWrapper(inner, "utf-8", "replace", "\n")
    empty = _state(_io.TextIOWrapper.__new__(_io.TextIOWrapper))
    reading.read(2)
    wanted: dict[str, Any] = {
        "ok": 1, "detached": 0, "encoding": "utf-8", "newline": "\n", "errors": "replace",
        "line_buffering": False, "write_through": False, "seekable": True, "telling": True,
        "decoded": "ab\ncd", "used": 2, "pending": None, "snapshot": (0, b"ab\ncd"),
    }  # fmt: skip
    one = _state(reading)
    writing = _io.TextIOWrapper(_io.BytesIO(), "utf-8", line_buffering=True)
    writing.write("ab")
    other = _state(writing)
    return (
        all(one[name] == value for name, value in wanted.items())
        and one["buffer"] is inner
        and one["chunk"] == vars(_io.TextIOWrapper)["_CHUNK_SIZE"].__get__(reading)
        and (other["pending"], other["line_buffering"], other["newline"]) == ("ab", True, None)
        and empty["ok"] == 0
    )


_AS_EXPECTED = _as_expected()


def standard(value: object) -> Name | None:
    """Return the name of a standard stream of the process."""
    for name in STANDARD:
        if _names.get(name) is value:
            return "sys", name
    return None


def replaced() -> list[tuple[str, object]]:
    """Return the standard streams that somebody has put in the place of the process' own, but
    for those over files of the system."""
    found = [(name, _names.get(name)) for name in STANDARD]
    return [
        (name, one)
        for name, one in found
        if one is not _names.get(f"__{name}__") and not _over_file(one)
    ]


def _over_file(value: object) -> bool:
    of = layout_of(type(value))
    if "_io.TextIOWrapper" in of.names:
        of = layout_of(type(read_slot(value, _SLOTS["buffer"]) if _AS_EXPECTED else value))
    return _is_of_system(of)


def in_memory(kind: str) -> Any:
    """Return what makes the reader of streams that are nothing but what they hold."""

    def make(layout: Layout, cls: type) -> Reader | None:
        state, size = method(layout, cls, "__getstate__"), method(layout, cls, "__sizeof__")
        if state is None:
            return None
        if hidden_state(layout, cls):
            return opaque
        extra = Extra(layout, cls)

        def read(keeper: Keeper, value: Any, layout: Layout) -> Node:
            if size is not None and cls is _io.BytesIO and size(value) > keeper.left + 1_000:
                raise Obstacle(TOO_LARGE)
            node: Node = {"k": kind}
            if layout.cls is not cls:
                node["c"] = keeper.class_(layout.cls)
            try:
                *parts, attributes = state(value)
            except ValueError as error:
                if not expected(error, ValueError):
                    raise
                raise Obstacle("it is a closed stream") from None
            node["i"] = [keeper.ref(part) for part in parts]
            node["i"].append(keeper.ref(attributes) if attributes else None)
            extra.add(keeper, value, node)
            return node

        return read

    return make


def text(layout: Layout, cls: type) -> Reader | None:
    """Return the reader of text streams."""
    hidden = hidden_state(layout, cls)
    extra = Extra(layout, cls)

    def read(keeper: Keeper, value: Any, layout: Layout) -> Node:
        if not _AS_EXPECTED or hidden:
            return system(keeper, value, layout)
        state = _state(value)
        node: Node = {"k": "text_wrapper", "c": keeper.class_(layout.cls)}
        if state["ok"] > 0:
            of = layout_of(type(state["buffer"]))
            if state["detached"] or _is_of_system(of):
                return system(keeper, value, layout)
            node["i"] = _parts(keeper, state)
            node["n"] = state["used"]
        else:
            node["i"] = []
        held = _attributes(value)
        node["i"].append(keeper.ref(held) if held else None)
        extra.add(keeper, value, node)
        return node

    return read


def _is_of_system(of: Layout) -> bool:
    return _IN_MEMORY not in of.names and any(name in _SYSTEM for name in of.names)


def _parts(keeper: Keeper, state: dict[str, Any]) -> list[Any]:
    names = ("buffer", "encoding", "errors", "newline", "line_buffering", "write_through")
    parts = [state[name] for name in names]
    parts += [_waiting(state), _ahead(state)]
    return [keeper.ref(part) for part in parts]


def _waiting(state: dict[str, Any]) -> str:
    """Return what was written and not yet passed on to the stream beneath."""
    found = state["pending"]
    if found is None:
        return ""
    waiting = ""
    for piece in list(found) if type(found) is list else [found]:
        if type(piece) not in (str, bytes) or not piece.isascii():
            raise Obstacle("it is a stream with text that waits, and is not plain")
        waiting += piece if type(piece) is str else piece.decode("ascii")
    if "\n" in waiting and state["newline"] not in (None, "", "\n"):
        raise Obstacle("it is a stream with lines that wait")
    return waiting


def _ahead(state: dict[str, Any]) -> bytes | None:
    """Return what was read from the stream beneath, if not all of it was given out."""
    decoded, used = state["decoded"], state["used"]
    if bool(state["telling"]) != bool(state["seekable"]):
        raise Obstacle("it is a stream that is being iterated over")
    if type(decoded) is not str or used >= len(decoded):
        return None
    snapshot = state["snapshot"]
    if type(snapshot) is tuple and len(snapshot) == 2 and used:
        flags, octets = snapshot
        if flags == 0 and type(octets) is bytes and len(octets) < state["chunk"]:
            return bytes(bytearray(octets))  # the one beneath may hold the very same
    raise Obstacle("it is a stream in the middle of what it has read ahead")


def system(keeper: Keeper, value: Any, layout: Layout) -> Node:
    """A stream of the process: a standard one is found by its name."""
    name = keeper.landmarks.name_of(value) or standard(value)
    return named(keeper, name) if name is not None else opaque(keeper, value, layout)


def of_system(layout: Layout, _: type) -> Reader | None:
    """Return the reader of what is neither of these: a class of Python's has its attributes
    where the base class keeps them, and none of its own."""
    if hidden_state(layout, object):
        return system
    extra = Extra(layout)

    def read(keeper: Keeper, value: Any, layout: Layout) -> Node:
        node: Node = {"k": "object", "c": keeper.class_(layout.cls)}
        held = _attributes(value)
        if held:
            node["a"] = keeper.attributes(held)
        extra.add(keeper, value, node)
        return node

    return read
