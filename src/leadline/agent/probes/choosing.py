"""Which calls are worth keeping: those that fail, some of each shape, a sample of the rest.

The shape of a call is what is cheap to see of it: types, keys, None and booleans, signs, small
lengths, and how it ended. Two calls of one shape mostly take the same way through the code.
"""

import time
from collections.abc import Callable
from typing import Any

from leadline import native
from leadline.expression.layout import identity, layout_of
from leadline.wire.call import most_good
from leadline.wire.struct import dataclass

OF_EACH_SHAPE = 3
MAX_SHAPES = 10_000
"""Counted; a call of yet another one is as good as any."""
SPREAD_S = 10.0
"""Over which at least the sample is drawn, where calls are many."""
MAX_KEYS, MAX_ITEMS, MAX_LEVELS = 12, 3, 3
"""Looked at: of a dictionary, of a sequence, and of values within values."""
SMALL = 3
"""Lengths up to here are told apart, as loops take another way for them; others are many."""

type Shape = tuple[object, ...] | bytes | str | bool | None

_LENGTHS: dict[int, Callable[[Any], int]] = {
    identity(cls): vars(cls)["__len__"]
    for cls in (str, bytes, bytearray, list, tuple, dict, set, frozenset)
}
_KEYS = 0x9E3779B97F4A7C15
_MASK = 2**64 - 1


def shape_of(value: Any, level: int = 0) -> Shape:
    """Return what is cheap to see of a value. Runs no code of the application."""
    if value is None or value is True or value is False:
        return value
    cls = type(value)
    if cls is int or cls is float:
        return f"{cls.__name__} {'0' if value == 0 else '+' if value > 0 else '-'}"
    length = _LENGTHS.get(identity(cls))
    if length is None:
        return layout_of(cls).name
    size = length(value)
    shown = f"{cls.__name__} {size if size <= SMALL else 'many'}"
    if level >= MAX_LEVELS or not size:
        return shown
    try:
        if cls is dict:
            pairs = [pair for pair, _ in zip(value.items(), range(MAX_KEYS), strict=False)]
            return (
                shown,
                *(
                    (key if type(key) is str else "?", shape_of(item, level + 1))
                    for key, item in pairs
                ),
            )
        if cls is list or cls is tuple:
            return (shown, *(shape_of(item, level + 1) for item in value[:MAX_ITEMS]))
    except RuntimeError:  # another thread has changed it meanwhile
        pass
    return shown


def shape_of_call(arguments: list[tuple[str, object]]) -> Shape:
    """Return the shape of what a call was given; to be compared within this process."""
    core = native.core()
    if core is not None:
        outline: bytes = core.outline(arguments)
        return outline
    return tuple(shape_of(value) for _, value in arguments)


@dataclass(slots=True, eq=False)
class Chooser:
    """Chooses for one probe in one process. `good` hits are for calls that do not fail."""

    good: int
    _shapes: dict[Shape, int]
    _began: float
    _sample: int
    _seen: int = 0
    _state: int = 0

    def takes(self, shape: Shape, failed: bool | None) -> bool:
        """Say whether to keep a call. What is not known to be good is kept like a failure."""
        if failed is None or failed:
            return True
        if self.good <= 0:
            return False
        self._seen += 1
        count = self._shapes.get(shape, 0)
        if count or len(self._shapes) < MAX_SHAPES:
            self._shapes[shape] = count + 1
        if count < OF_EACH_SHAPE or self._drawn():
            self.good -= 1
            return True
        return False

    def _drawn(self) -> bool:
        """Draw for the sample, so that it is not full at once."""
        passed = max(1.0, time.monotonic() - self._began)
        expected = self._seen / passed * SPREAD_S
        self._state = (self._state * _KEYS + 1) & _MASK  # the application's luck is its own
        return (self._state >> 11) / 2**53 * expected < self._sample


def chooser(hits: int, *, reserves: bool) -> Chooser:
    """Return what chooses among the calls of a probe of so many hits."""
    good = most_good(hits, reserves=reserves)
    return Chooser(good, {}, time.monotonic(), good, _state=time.perf_counter_ns() & _MASK | 1)
