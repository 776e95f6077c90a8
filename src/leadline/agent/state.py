"""What the modules of the application hold beside functions and classes, told by digests.

A fresh process that imports them may hold something else: a table that was filled when the
service began its work, a connection that a start has made. Whose names these are says where a
candidate can meet what no captured call has shown. Runs on a thread of ours, and runs no code
of the application; texts that redaction finds are no part of a digest.
"""

import sys
from _sha2 import sha256  # type: ignore[import-not-found]
from collections.abc import Iterator, Mapping
from time import sleep, thread_time
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from leadline.agent.capture import outlet
from leadline.agent.capture.callers import is_own_file
from leadline.agent.capture.keeping import keep, withhold
from leadline.expression.layout import layout_of
from leadline.wire.kept import WITHHELD, is_absent
from leadline.wire.redaction import secret_name

MAX_S = 0.1
"""Of this thread's time for all modules; one of a hundred tables takes 2 ms."""
MAX_NAMES = 3_000
NAME_NS = 2_000_000
"""Of this thread's time for one name."""
NAME_BYTES = 16_000
"""Of what one name holds; of more nothing is known."""
CUT = ""
"""The name that says of a module that nothing is known of what it holds."""
UNKNOWN = "?"
"""The digest of what is not known: no other is the same."""
_REST_S = 0.001
_MAX_DEPTH = 40
_DIGITS = 8
_dict_of = vars(ModuleType)["__dict__"].__get__
_members_of = vars(type)["__dict__"].__get__
_NO_DATA = (FunctionType, BuiltinFunctionType, classmethod, staticmethod, property)
_WRAPPERS = ("_lru_cache_wrapper", "singledispatchmethod", "partial")
_SCALARS = (bool, int, float, str, type(None))


def held_by_modules(file: str) -> dict[str, dict[str, str]]:
    """Return a digest of what each name holds, by module: `CONFIG`, and `Shop.rate` for what a
    class, or an object that the module holds under `Shop`, has as an attribute. Functions and
    classes that are what their `def` made are left out.

    `file` is that of a function of the application: its package is looked at even if it is
    installed, after all that is not. A module with the name `CUT` was not looked at.
    """
    if outlet.is_strict():
        return {}
    found: dict[str, dict[str, str]] = {}
    until, names = thread_time() + MAX_S, 0
    for name, module in own_modules(file):
        if names >= MAX_NAMES or thread_time() > until:
            found[name] = {CUT: UNKNOWN}
            continue
        found[name] = held_by(name, _dict_of(module))
        names += len(found[name])
        sleep(_REST_S)  # it is the application's interpreter
    return found


def held_by(name: str, held: Mapping[str, Any]) -> dict[str, str]:
    """Return it for one module, of which these are the globals."""
    found: dict[str, str] = {}
    for key, value in list(held.items()):
        if type(key) is str and not key.startswith("__"):
            try:
                found |= _named(name, key, value)
            except Exception:  # noqa: BLE001 - changed by another thread, as it was looked at
                found[key] = UNKNOWN
    return found


def own_modules(file: str) -> Iterator[tuple[str, ModuleType]]:
    """Yield the modules of the application, those of the file's package first, but for one
    that is a library's: a whole framework may come with the entry, and takes all the time."""
    some: list[tuple[str, str, ModuleType]] = []
    for name, module in list(sys.modules.items()):
        if type(name) is str and type(module) is ModuleType:
            its = _dict_of(module).get("__file__")
            if type(its) is str:
                some.append((name, its, module))
    package = next((name for name, its, _ in some if its == file), "").partition(".")[0]
    found = [
        (not is_own_file(its), name.partition(".")[0] != package, name, module)
        for name, its, module in some
    ]
    for is_library, is_other, name, module in sorted(found, key=lambda one: one[:2]):
        if not (is_library and is_other):
            yield name, module


def _named(module: str, key: str, value: Any) -> dict[str, str]:
    if type(value) in (ModuleType, FunctionType, BuiltinFunctionType):
        return {} if _is_as_made(module, key, value) else {key: _digest(value)}
    if not issubclass(type(value), type):
        return _parts(key, value)
    if not _is_as_made(module, key, value):
        return {key: _digest(value)}
    found = {}
    for name, one in list(_members_of(value).items()):
        if type(name) is not str or name.startswith(("__", "_abc_")):
            continue
        if type(one) not in _NO_DATA and not layout_of(type(one)).has_get:
            found[f"{key}.{name}"] = _secret(name) or _digest(one)
    return found


def _is_as_made(module: str, key: str, value: Any) -> bool:
    """Tell whether a module, function or class is what stands there in the source."""
    if type(value) is ModuleType:
        return True
    layout = layout_of(value) if issubclass(type(value), type) else None
    if layout is not None:
        return (layout.module, layout.name) == (module, key)
    if type(value) is FunctionType:
        return value.__module__ == module and value.__qualname__ == key
    return False


def _parts(key: str, value: Any) -> dict[str, str]:
    """Return the digest of a value, and those of its attributes."""
    if secret := _secret(key):
        return {key: secret}
    if type(value) in _SCALARS and type(value) is not str:
        return {key: _hash(repr(value))}
    document = _document(value)
    if document is None:
        return {key: UNKNOWN}
    root = document["roots"]["v"]
    found = {key: _told(root, document["nodes"])}
    if type(root) is list:
        node = document["nodes"][root[0]]
        for name, ref in {**node.get("a", {}), **node.get("s", {})}.items():
            found[f"{key}.{name}"] = _told(ref, document["nodes"])
    return found


def _digest(value: Any) -> str:
    document = _document(value)
    if document is None:
        return UNKNOWN
    return _told(document["roots"]["v"], document["nodes"])


def _told(ref: Any, nodes: list[dict[str, Any]]) -> str:
    """Return the digest of what a ref leads to; of what lives in its process, such as a
    connection, and of what there was no room for, nothing is known."""
    if type(ref) is list and _is_opaque(nodes[ref[0]]):
        return UNKNOWN
    met: dict[int, int] = {}
    plain = _plain(ref, nodes, met, 0)
    far = any(is_absent(nodes[one]) and "rule" not in nodes[one] for one in met)
    return UNKNOWN if far else _hash(repr(plain))


def _is_opaque(node: dict[str, Any]) -> bool:
    return node["k"] == WITHHELD and node.get("t") not in _WRAPPERS


def _document(value: Any) -> dict[str, Any] | None:
    kept = keep(
        [("v", value)], NAME_BYTES, leaves_out=True, surrounded=False, within_ns=NAME_NS
    )
    return withhold(kept).document


def _plain(ref: Any, nodes: list[dict[str, Any]], met: dict[int, int], depth: int) -> Any:
    """Return what a ref leads to, without the numbers of nodes: those follow from the order in
    which the members of sets were met."""
    if type(ref) is not list:
        return ref
    number = ref[0]
    if number in met or depth > _MAX_DEPTH:
        return ("again", met.get(number, -1))
    met[number] = len(met)
    node = nodes[number]
    if node["k"] == WITHHELD:
        return (WITHHELD, node.get("t"), node.get("rule"))
    parts: list[Any] = [node["k"], node.get("t"), node.get("m"), node.get("b"), node.get("n")]
    if "c" in node:
        parts.append(_plain([node["c"]], nodes, met, depth + 1))
    items = [_plain(one, nodes, met, depth + 1) for one in node.get("i", ())]
    parts.append(sorted(items, key=repr) if node["k"] in ("set", "frozenset") else items)
    for key, one in node.get("p", ()):
        parts.append((_plain(key, nodes, met, depth + 1), _plain(one, nodes, met, depth + 1)))
    for at in ("a", "s"):
        for name, one in sorted(node.get(at, {}).items()):
            parts.append((at, name, _plain(one, nodes, met, depth + 1)))
    return tuple(parts)


def _hash(text: str) -> str:
    return str(sha256(text.encode("utf-8", "surrogatepass")).hexdigest())[:_DIGITS]


def _secret(name: str) -> str:
    return UNKNOWN if secret_name(name) else ""
