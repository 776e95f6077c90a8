"""How deep on the stack a call was made, and a run that is as deep: a recursion then ends where
it would have ended there."""

import sys
from types import FrameType

from leadline import native

MOST_COUNTED = 1_000
"""Frames, where the interpreter cannot be asked: as many as there are without another limit."""
_MOST = 2**31 - 1


def depth_of(frame: FrameType) -> int:
    """Return how many calls deep a running frame of this thread is, itself among them, as the
    interpreter counts them against its limit. Without the native core frames are counted, up
    to `MOST_COUNTED`."""
    core = native.core()
    if core is not None and (known := core.depth(frame)):
        return int(known)
    depth, outer = 0, frame
    while outer is not None and depth < MOST_COUNTED:
        outer, depth = outer.f_back, depth + 1  # type: ignore[assignment]
    return depth


class Depth:
    """That of one run, from where its call begins until it ends: our own look needs room."""

    def __init__(self, wanted: int) -> None:
        """`wanted` is how deep the call is to be; 0 leaves it as deep as it is."""
        self._wanted = wanted
        self._taken = 0

    def take(self, frame: FrameType) -> None:
        """Have a frame, which has just begun, be as deep as is wanted. The limit itself stays
        what it is, but where there is no native core."""
        if not self._wanted:
            return
        if (core := native.core()) is not None:
            self._taken = core.deepen(frame, min(self._wanted, _MOST))
        else:
            self._taken = _lowered(self._wanted - depth_of(frame))

    def give_back(self) -> None:
        """Be as deep as we are."""
        taken, self._taken = self._taken, 0
        if not taken:
            return
        if (core := native.core()) is not None:
            core.rise(taken)
        else:
            _lowered(-taken)


def _lowered(more: int) -> int:
    try:
        sys.setrecursionlimit(sys.getrecursionlimit() - more)
    except (RecursionError, ValueError, OverflowError):  # we are deeper than that ourselves
        return 0
    return more
