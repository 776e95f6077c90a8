"""How the instances of one class are captured: the function that does it, and what it costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from leadline.expression.layout import Layout
from leadline.wire.value import Value

if TYPE_CHECKING:
    from leadline.agent.capture.tree import Walk

type Read = Callable[[Walk, Any, Layout, int], Value]
"""Takes the walk, the value, its class' layout and the level that the value lies at."""

PLAIN, INSIDE = True, False
"""What is shown at any depth, because nothing of the application's lies inside of it, and what
counts as a level."""


class Reading(NamedTuple):
    """`plain` as above; `cost` in bytes, of what a capture of such an instance takes at least
    (`room.NODE_BYTES` and the name)."""

    read: Read
    plain: bool
    cost: int
