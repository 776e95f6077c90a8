"""Takes out of kept arguments what may not leave the process: on the sender's thread.

Names are judged while the arguments are kept. What patterns find in texts, and every text of a
strict service, is judged here. A text that would be changed is withheld as a whole: a call
with another text would be another call.
"""

import binascii
import re
from typing import Any

from leadline.agent.capture import outlet
from leadline.agent.capture.kept_quickly import open_nodes
from leadline.wire.gateway import SERVED
from leadline.wire.kept import IN_PROCESS, WITHHELD, Kept, is_absent, made_of, paths, spelled
from leadline.wire.patterns import (
    CARD,
    MIN_SECRET_CHARS,
    cloud_secrets,
    find_and_replace,
    has_cloud_key,
    is_card,
)
from leadline.wire.scrubbing import scrub_text
from leadline.wire.strictness import RULE

_RULE = re.compile(r"<redacted (pattern:[a-z-]{1,20})>")
_EXACT = 2.0**53
_NUMBERS = ("int", "float", "complex", "decimal")
"""Kinds whose text is made of digits."""
_ARRAYS = ("ndarray", "scalar", "array")
_WIDE = ("u", "w")
_CASTS = {"i8": "q", "u8": "Q", "f8": "d", "l": "q", "q": "q", "L": "Q", "Q": "Q", "d": "d"}
"""How numbers that have room for a card's lie in memory, by numpy's codes and by `array`'s."""
_FEWEST = 10**12
_CODE = ("name", "member", "zone", "logger", "dtype", WITHHELD)
"""Kinds that are nothing but a name in the code, or of the system's."""
_NAMED = ("bound", "class", "function", SERVED)
"""Kinds whose text is such a name; what they hold is judged."""


def withhold(kept: Kept) -> Kept:
    """Return arguments as they may leave the process."""
    strict = outlet.is_strict()
    if kept.document is None:
        obstacle = outlet.WITHHELD if strict else scrub_text(kept.obstacle, named=True)
        return Kept(None, kept.size, [], obstacle)
    open_nodes(kept.document)
    pass_ = _Pass(kept.document, strict, cloud=False)
    document = pass_.document()
    if pass_.cloud and not strict:
        again = _Pass(document, strict, cloud=True)
        document = again.document()
    hidden = {
        number
        for number, node in enumerate(document["nodes"])
        if node.get("k") == WITHHELD and not is_absent(node)
    }
    nodes = document["nodes"]
    told = [
        f"{path} ({spelled(nodes[number]['rule'])})"
        for number, path in sorted(paths(document, hidden, plain=strict).items())
    ]
    return Kept(document, kept.size, [scrub_text(one) for one in told], "")


class _Pass:
    """One pass over a document; `cloud` tells that half of a cloud key was seen."""

    def __init__(self, document: dict[str, Any], strict: bool, cloud: bool) -> None:
        self._given = document
        self._strict = strict
        self._second = cloud
        self.cloud = False
        self._added: list[Any] = []
        self._known: dict[str, str] = {}

    def document(self) -> dict[str, Any]:
        given: list[dict[str, Any]] = self._given["nodes"]
        self._at = len(given)
        nodes = [self._node(node) for node in given]
        roots = {name: self._ref(ref) for name, ref in self._given["roots"].items()}
        whole = [*nodes, *self._added]
        self._containers(whole)
        return self._given | {"roots": roots, "nodes": whole}

    def _containers(self, nodes: list[dict[str, Any]]) -> None:
        """Withhold what cannot be made without what is withheld; and then what cannot be made
        without that."""
        changed = True
        while changed:
            changed = False
            for number, node in enumerate(nodes):
                for ref in made_of(node):
                    if type(ref) is list and _is_nowhere(nodes[ref[0]]):
                        rule = nodes[ref[0]].get("rule", IN_PROCESS)
                        nodes[number] = _withheld(node["k"], rule)
                        changed = True
                        break

    def _node(self, node: dict[str, Any]) -> dict[str, Any]:
        kind = node["k"]
        if kind in _CODE:
            return node
        rule = self._text_rule(kind, node)
        for names in (node.get("a"), node.get("s")):
            for name in names or ():
                rule = rule or ("" if self._strict else self._rule(name))
        if rule:
            return _withheld(kind, rule)
        out = dict(node)
        if "i" in node and kind not in _PARTS:
            out["i"] = [self._ref(ref) for ref in node["i"]]
        if "p" in node:
            out["p"] = [[self._ref(key), self._ref(ref)] for key, ref in node["p"]]
        for part in ("a", "s"):
            if part in node:
                out[part] = {name: self._ref(ref) for name, ref in node[part].items()}
        return out

    def _text_rule(self, kind: str, node: dict[str, Any]) -> str:
        if ("t" not in node and "b" not in node) or kind in _NAMED:
            return ""
        if kind in _NUMBERS:
            if kind == "int":
                return CARD if is_card(int(node["t"], 16)) else ""
            return "" if self._second else self._rule_of(node["t"])
        if kind in _ARRAYS:
            return self._array_rule(node)
        if self._strict:
            return RULE
        if "t" in node:
            return self._rule(node["t"])
        octets = binascii.a2b_base64(node["b"])
        wide = kind == "str"
        return self._rule(
            octets.decode(
                "utf-32-le" if wide else "latin-1", "surrogatepass" if wide else "strict"
            )
        )

    def _array_rule(self, node: dict[str, Any]) -> str:
        """Judge the memory of an array by what its items are."""
        octets = binascii.a2b_base64(node.get("b", ""))
        code = node["t"].lstrip("<>|=")
        if code[:1] in "SU" or code in _WIDE:
            if self._strict:
                return RULE
            wide = code[:1] != "S"
            text = octets.decode("utf-32-le", "replace") if wide else octets.decode("latin-1")
            return self._rule_of(text.replace("\0", " "))
        cast: Any = _CASTS.get(code)
        if cast is None or len(octets) % 8:
            return ""
        numbers = memoryview(octets).cast(cast)
        return CARD if any(_is_card(one) for one in numbers) else ""

    def _ref(self, ref: Any) -> Any:
        rule = ""
        cls = type(ref)
        if cls is str:
            rule = RULE if self._strict else self._rule(ref)
        elif cls is int:
            rule = CARD if is_card(ref) else ""
        elif cls is float:
            rule = CARD if _is_card(ref) else ""
        if not rule:
            return ref
        self._added.append(_withheld(cls.__name__, rule))
        return [self._at + len(self._added) - 1]

    def _rule(self, text: str) -> str:
        """Return the rule that would change a text, or nothing."""
        if len(text) < MIN_SECRET_CHARS:
            return ""
        rule = self._known.get(text)
        if rule is None:
            rule = self._known[text] = self._rule_of(text)
        return rule

    def _rule_of(self, text: str) -> str:
        after = cloud_secrets(text) if self._second else find_and_replace(text)
        if after == text:
            return ""
        self.cloud = self.cloud or has_cloud_key(after)
        found = _RULE.search(after)
        return found[1] if found is not None else "pattern"


_PARTS = ("date", "datetime", "time", "timedelta", "range")
"""Kinds whose refs are numbers of a calendar or a count."""


def _is_nowhere(node: dict[str, Any]) -> bool:
    """Tell whether nothing can be made of a node anywhere; one that lives in its process can be
    had in a twin of that."""
    return node["k"] == WITHHELD and "live" not in node


def _is_card(number: float) -> bool:
    return _FEWEST <= number < _EXACT and number == int(number) and is_card(int(number))


def _withheld(kind: str, rule: str) -> dict[str, Any]:
    return {"k": WITHHELD, "t": kind, "rule": rule}
