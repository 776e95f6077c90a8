"""How the arguments of a call are written down by value, so that the call can be made again.

A *document* is plain JSON: `{"v": 1, "roots": {parameter: ref}, "nodes": [node, ...]}`. A *ref*
is null, a boolean, a whole number of at most 63 bits, a finite number or a text, which stand
for themselves, or `[n]`: the node `n`. What is reached by two ways is one node, so sharing and
cycles are kept. A node is an object with these members, all but `k` optional:

    k   kind: how it is built, see `trial.rebuilding`
    c   number of the node that is its class, where the kind alone does not say it
    i   refs: items of a row, or what the kind is built from, in an order of its own
    p   pairs of refs: entries of a dictionary, in their order
    a   attribute -> ref: what lies in the dictionary of the instance
    s   slot -> ref
    t   a text: digits, the name of a member, a qualified name
    q   names of the code's: of the columns of a row; the slots of a class; those of a function,
        and of the variables that it closes over, whose cells end its `i`
    b   base64, where a text cannot hold it
    m   the module in which `t` is a name
    w   of a function that says so, another module than the one that it is in
    g   module and name under which this very object is found, to be given what the node holds
    n   a plain number or null: the longest that a deque may get, a position, where code is
    live  of what could not be kept: how it is found in a twin of its process, and nowhere else

A piece of the server that makes a call is of the kind `served` (`wire.gateway`).

What may not leave the process is a node of kind `withheld` with its `rule`, and never a changed
value: a call with a changed argument is another call. So is what cannot leave it
(`IN_PROCESS`), and what there was no room for.
"""

from binascii import crc32
from collections.abc import Iterator
from types import CodeType
from typing import Any

from leadline.wire.struct import dataclass, field

VERSION = 1
MAX_CALL_BYTES = 256_000
"""Of JSON, for the arguments of one call. A median call of the services that were measured
takes 0.3 to 9 kB; what is far larger is a whole application, or a page of data."""
MAX_NODES = 20_000
WITHHELD = "withheld"
IN_PROCESS = "process"
"""The rule of what lives in its process, and cannot be written down. What there was no room for
has no rule at all."""
STAND_IN = "leadline.trial.withheld.Withheld"
"""The class of what stands for a withheld value where the call is made again."""
TYPE_STEP = "()"
"""In a dotted name: the class of what was found so far."""
CONTEXT = "context variables"
"""The name of the root that holds what a call is made in, context variables above all: no
parameter has it. It is a dictionary; what is no variable has a text for a key."""
HANDLED = "sys.exception()"
"""The exception that is being handled while the call is made."""
ENVIRONMENT = "os.environ"
"""What has been changed of the environment since the capture began, None for what has gone."""
STREAM = "sys."
"""Before the name of a standard stream that somebody has replaced."""
MAX_PATH = 12
"""Steps of a path that are shown."""
_MAX_KEY_CHARS = 40


@dataclass(frozen=True, slots=True)
class Kept:
    """Arguments by value. `withheld` names what redaction held back
    (`customer.email (name 'email')`); `obstacle` says why there is no document
    (`cart.lock: a _thread.lock lives in its process`). `size` is in bytes of JSON, about."""

    document: dict[str, Any] | None
    size: int = 0
    withheld: list[str] = field(default_factory=list)
    obstacle: str = ""


def steps(node: dict[str, Any], *, plain: bool = False) -> Iterator[tuple[str, Any]]:
    """Yield every ref of a node, and the step of a path that leads there; a `plain` one has no
    key of the application's in it."""
    kind = node.get("k")
    for name, ref in node.get("a", {}).items():
        yield f".{name}", ref
    for name, ref in node.get("s", {}).items():
        yield f".{name}", ref
    for index, ref in enumerate(node.get("i", ())):
        yield (f"[{index}]" if kind in _ROWS else ""), ref
    for key, ref in node.get("p", ()):
        yield "{key}", key
        yield ("[…]" if plain else f"[{_shown(key)}]"), ref


_ROWS = ("list", "tuple", "set", "frozenset", "deque")


def _shown(key: Any) -> str:
    if type(key) is str:
        plain = len(key) <= _MAX_KEY_CHARS and key.isidentifier()
        return repr(key) if plain else "…"
    return "…" if type(key) is list else repr(key)


def paths(
    document: dict[str, Any], numbers: set[int], *, plain: bool = False
) -> dict[int, str]:
    """Return how each node of `numbers` is reached first, as a person would write it."""
    came = _origins(document, plain=plain)
    return {number: _path(number, came) for number in numbers if number in came}


def _origins(document: dict[str, Any], *, plain: bool = False) -> dict[int, tuple[int, str]]:
    """Return from which node, and by which step, each is reached first; -1 stands for the
    arguments."""
    nodes = document["nodes"]
    came: dict[int, tuple[int, str]] = {}
    queue: list[int] = []
    for name, ref in document["roots"].items():
        if type(ref) is list and ref[0] not in came:
            came[ref[0]] = (-1, name)
            queue.append(ref[0])
    for number in queue:  # grows meanwhile
        if number >= len(nodes) or nodes[number] is None:
            continue
        found = [*steps(nodes[number], plain=plain), ("", _class(nodes[number]))]
        for step, ref in found:
            if type(ref) is list and ref[0] not in came:
                came[ref[0]] = (number, step)
                queue.append(ref[0])
    return came


def _class(node: dict[str, Any]) -> Any:
    return [node["c"]] if "c" in node else None


def _path(number: int, came: dict[int, tuple[int, str]]) -> str:
    parts: list[str] = []
    while number >= 0:
        number, step = came[number]
        parts.append(step)
    root, *rest = reversed(parts)
    rest = [step for step in rest if step]
    if len(rest) > MAX_PATH:
        rest = ["…", *rest[-MAX_PATH:]]
    return root + "".join(rest)


def fingerprint(code: CodeType) -> int:
    """Return a number that tells functions apart whose names and lines are the same."""
    names = "\0".join((*code.co_names, "", *code.co_varnames, "", *code.co_freevars))
    consts = "\0".join(
        one if type(one) is str else str(hash(one))
        for one in code.co_consts
        if type(one) in _PLAIN
    )
    text = f"{names}\1{consts}".encode("utf-8", "surrogatepass")
    return crc32(text, crc32(code.co_code))


_PLAIN = (int, str, float, bool, type(None))


def is_absent(node: dict[str, Any]) -> bool:
    """Tell whether a node stands for what could not be kept, and not for what redaction held
    back."""
    return node.get("k") == WITHHELD and node.get("rule", IN_PROCESS) == IN_PROCESS


def made_of(node: dict[str, Any]) -> list[Any]:
    """Return the refs of a node that are looked at when it is made: it cannot be made where one
    of them is withheld. A key is looked at."""
    parts = [key for key, _ in node.get("p", ())]
    if node["k"] == "function":
        parts += node["i"][:_CELLS_FROM]
    elif node["k"] not in _PASSED_ON:
        parts += node.get("i", ())
    return parts


_CELLS_FROM = 2
"""Before them a function has its defaults."""
_PASSED_ON = frozenset(
    """
    object list tuple dict ordered defaultdict deque error cell slice ndarray
    """.split()
)
"""Kinds that hold what is in their `i` without looking at it."""


def spelled(rule: str) -> str:
    """Return a rule of redaction for a person: `name 'email'`."""
    kind, _, what = rule.partition(":")
    return f"{kind} '{what}'" if what else kind
