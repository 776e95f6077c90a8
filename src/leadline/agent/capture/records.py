"""How enum members, dataclasses, pydantic models and paths read: from what lies in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadline.agent.capture.reading import INSIDE, PLAIN, Read
from leadline.agent.capture.recognition import getter, held, in_module, inherits, slot
from leadline.expression.layout import MISSING, Getter, Layout
from leadline.wire.redaction import secret_name
from leadline.wire.value import Form, Omission, Value

if TYPE_CHECKING:
    from leadline.agent.capture.tree import Walk

_MAX_FIELDS = 1_000
"""Of a class with more, the order does not matter to anybody."""
_MAX_PARTS = 100
"""Parts of a path that are put together; the file system has no deeper ones."""


def member(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
    """An enum's member: its name and value. What it derives from besides does not matter."""
    name = held(value, layout, "_name_")
    if type(name) is not str:
        return {"type": layout.name, "omitted": Omission.OPAQUE, "rule": "it has no name"}
    captured = {**walk.words(name, layout.name), "form": Form.MEMBER}
    inner = held(value, layout, "_value_")
    rule = secret_name(name)
    if inner is MISSING:
        captured["about"] = {"value": {"type": "?", "omitted": Omission.UNBOUND}}
    elif rule is not None:
        captured["about"] = {"value": walk.redacted(rule, inner)}
    else:
        walk.fact(captured, "value", inner, level)
    return captured


def dataclass(layout: Layout) -> tuple[Read, bool] | None:
    """Return the form of a dataclass, or None for another class: its fields in the order of
    the class, then whatever else an object was given."""
    found: Any = layout.find("__dataclass_fields__")
    if type(found) is not dict or len(found) > _MAX_FIELDS:
        return None
    names: tuple[str, ...] = tuple(dict.keys(found))
    if not all(type(name) is str for name in names):
        return None

    return InOrder(names), INSIDE


class InOrder:
    """Takes an object's attributes in the order that its class says."""

    __slots__ = ("names",)

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def __call__(self, walk: Walk, value: object, layout: Layout, level: int) -> Value:
        captured = walk.fields(value, layout, level)
        fields = captured.get("fields")
        if fields is not None and (*fields,) != self.names:
            ordered = {name: fields[name] for name in self.names if name in fields}
            captured["fields"] = ordered | fields
        return captured


def pydantic(layout: Layout, cls: type) -> tuple[Read, bool] | None:
    extra, private = (
        getter(layout, cls, f"__pydantic_{name}__") for name in ("extra", "private")
    )
    if extra is None or private is None:
        return None

    def read(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
        captured = walk.fields(value, layout, level)
        take = walk.field(captured, level) if "fields" in captured else None
        for more in (slot(extra, value), slot(private, value)):
            if type(more) is dict and take is not None and "omitted" not in captured:
                captured |= walk.each(dict.items(more), take)
        return captured

    return read, INSIDE


PATH_TEXT = "_str"


class PathText:
    """Reads paths of `pathlib`: the text, put together if it is not yet."""

    __slots__ = ("_parts", "_raw", "_windows", "made")

    def __init__(self, made: Getter, raw: Getter, parts: list[Getter], windows: bool) -> None:
        self.made, self._raw, self._parts, self._windows = made, raw, parts, windows

    def __call__(self, walk: Walk, value: Any, layout: Layout, _: int) -> Value:
        text = slot(self.made, value)
        if type(text) is not str:
            drive, root, tail = (slot(part, value) for part in self._parts)
            text = _parsed(drive, root, tail, "\\" if self._windows else "/") or _joined(
                slot(self._raw, value), windows=self._windows
            )
        if text is None:
            rule = "its parts are no plain texts"
            return {"type": layout.name, "omitted": Omission.OPAQUE, "rule": rule}
        return walk.words(text, layout.name)


def path(layout: Layout, cls: type) -> tuple[Read, bool] | None:
    """Return the form of the paths of `pathlib`."""
    made, raw = getter(layout, cls, PATH_TEXT), getter(layout, cls, "_raw_paths")
    parts = [getter(layout, cls, name) for name in ("_drv", "_root", "_tail_cached")]
    known = [part for part in parts if part is not None]
    if made is None or raw is None or len(known) < len(parts):
        return None
    modules = ("pathlib", "pathlib._local")
    windows = any(inherits(layout, in_module(module, "PureWindowsPath")) for module in modules)
    return PathText(made, raw, known, windows), PLAIN


def _parsed(drive: Any, root: Any, tail: Any, separator: str) -> str | None:
    if type(drive) is not str or type(root) is not str or not _texts(tail):
        return None
    return drive + root + separator.join(tail) or "."


def _joined(raw: Any, *, windows: bool) -> str | None:
    """Put together what a path was made of, as `pathlib` does when it is first asked."""
    if not _texts(raw):
        return None
    if windows:
        return "\\".join(raw) or "."
    whole = ""
    for part in raw:
        whole = part if part.startswith("/") else f"{whole}/{part}" if whole else part
    root = "//" if whole.startswith("//") and not whole.startswith("///") else whole[:1]
    root = root if root.startswith("/") else ""
    names = [name for name in whole.split("/") if name not in ("", ".")]
    return root + "/".join(names) or "."


def _texts(parts: Any) -> bool:
    if type(parts) is not list or len(parts) > _MAX_PARTS:
        return False
    return all(type(part) is str for part in parts)
