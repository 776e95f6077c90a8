"""What our extension writes down of a container by itself, where Python would take long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadline import native
from leadline.wire.kept import MAX_NODES

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
