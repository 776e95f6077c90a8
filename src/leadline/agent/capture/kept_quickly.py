"""What our extension writes down of a container by itself, where Python would take long."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from leadline import native
from leadline.expression.layout import LAYOUTS
from leadline.wire.kept import MAX_NODES
from leadline.wire.redaction import known_names

if TYPE_CHECKING:
    from leadline.agent.capture.keeping import Keeper

_core = native.core()


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
    before = len(keeper.nodes)
    keeper.left = _core.kept_nodes(
        keeper.objects,
        keeper.nodes,
        keeper.reach,
        keeper.memo,
        LAYOUTS,
        keeper.landmarks.names,
        keeper.pieces,
        sys.modules,
        known_names,
        keeper.left,
        MAX_NODES,
        every,
    )
    return before != len(keeper.nodes) and not len(keeper.nodes) % every
