"""What our extension writes down of a container by itself, where Python would take long."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from leadline import native
from leadline.agent.capture import living
from leadline.agent.capture.holding import Held
from leadline.agent.capture.kept_functions import prints
from leadline.expression.layout import LAYOUTS
from leadline.wire.kept import MAX_NODES
from leadline.wire.redaction import known_names

if TYPE_CHECKING:
    from leadline.agent.capture.keeping import Keeper

_core = native.core()
_NOBODY: tuple[list[Any], dict[int, int], str] = ([], {}, "")
"""Nothing is found in a twin where there is none."""


def quickly(keeper: Keeper, function: str, given: Any, *more: Any) -> Any:
    """Return what a function of the extension makes of a container; None where it does not,
    and nothing was taken then."""
    if _core is None:
        return None
    take = getattr(_core, function)
    taken = take(given, keeper.memo, keeper.objects, *more, keeper.left, MAX_NODES)
    if taken is None:
        return None
    whole, keeper.left = taken
    return whole


def walked(keeper: Keeper, every: int) -> bool:
    """Write down as many of the objects that come next as the extension knows how to, up to a
    number of nodes that can be divided by `every`; tells whether it has come to that."""
    if _core is None or type(sys.modules) is not dict:
        return False
    nodes, before, lives = keeper.nodes, len(keeper.nodes), True
    slots, numbers, token = living.table() if keeper.leaves_out else _NOBODY
    hands = (
        keeper.objects,
        nodes,
        keeper.reach,
        slots,
        keeper.memo,
        LAYOUTS,
        keeper.landmarks.names,
        keeper.pieces,
        sys.modules,
        known_names,
        prints,
        numbers,
        token,
        Held,
    )
    while lives:
        absent = keeper.leaves_out and not keeper.given
        keeper.left, lives = _core.kept_nodes(hands, keeper.left, MAX_NODES, every, absent)
        if not lives:
            break
        at = len(nodes) - 1
        if said := keeper.living_at(keeper.objects[at], at):
            nodes[at] = _with(nodes[at], said)
        lives = len(nodes) % every != 0
    return before != len(nodes) and not len(nodes) % every


def _with(node: bytes, said: dict[str, Any]) -> bytes:
    """Return the JSON of a node that says how it is found in a twin."""
    token, number, *ways = said["live"]
    steps = ",".join(
        f'["{kind}",{_spelled(at) if type(at) is str else at}]'
        for way in ways
        for kind, at in way
    )
    told = f'"{token}",{number},[{steps}]' if ways else f'"{token}",{number}'
    return b'%b,"live":[%b]}' % (node[:-1], told.encode("ascii"))


def open_nodes(document: dict[str, Any]) -> None:
    """Make all nodes of a document what they are the JSON of: on a thread of ours."""
    nodes: list[Any] = document["nodes"]
    written = b",".join(node for node in nodes if type(node) is bytes)
    one = iter(json.loads(b"[%b]" % written)).__next__
    nodes[:] = [one() if type(node) is bytes else node for node in nodes]


def opened(node: Any) -> Any:
    """Return a node, of which this may be the JSON."""
    return _read(node.decode("ascii"), 0)[0] if type(node) is bytes else node


_decoder: Any = json.JSONDecoder()
_read = _decoder.scan_once
_spelled = json.encoder.encode_basestring_ascii
