"""Have new objects lie elsewhere than they would.

Copies of one process make their objects at the same addresses, so an address in an outcome
would look like a value. A control that was moved comes to others, which shows them as noise.
"""

_SIZES = range(1, 513, 16)
_MANY = 300
"""Of each size, more than a run takes from what lies free."""
_LARGE = (600, 1_000, 2_000, 4_000, 8_000, 16_000, 64_000, 300_000)
_held: list[object] = []
"""Kept as long as the process lives."""


def be_elsewhere() -> None:
    """Take what lies free."""
    _held.extend(bytes(size) for size in _SIZES for _ in range(_MANY))
    _held.extend(bytearray(size) for size in _LARGE for _ in range(8))
    for kind in (list, dict, set, object):
        _held.extend(kind() for _ in range(_MANY))
    _held.extend(float(number) + 0.5 for number in range(_MANY))
    for size in range(1, 21):
        _held.extend(tuple(range(size)) for _ in range(_MANY // 10))
