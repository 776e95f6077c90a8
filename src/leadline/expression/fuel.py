"""How much one hit may still walk, compare and copy, over all of its expressions.

Each single walk has a limit of its own, but sixty of them can stand in one condition. So each
takes from one tank per thread, which is filled where the condition or the first placeholder of
a hit begins.
"""

import threading

from leadline.expression.unknown import Exhausted

FULL = 5_000
"""Units of one hit: a unit is an entry looked at, or `UNIT_CHARS` characters compared or
copied. 0.2 to 0.5 ms when it is all used."""
UNIT_CHARS = 256
SPARSE_SLOTS = 100_000
"""Tables with fewer slots are walked whatever they hold: at most 0.1 ms for the empty ones."""
SPARSE_RATIO = 10
"""Slots for each entry; a table that was only ever filled has at most eight."""
_SLOT_BYTES = 16


class _Tank(threading.local):
    left = FULL


_tank = _Tank()


def refuel() -> None:
    """Begin a hit."""
    _tank.left = FULL


def level() -> int:
    """Return what is in the tank; less than nothing once it has run dry."""
    return _tank.left


def fill_to(units: int) -> None:
    """Go on with a hit that has begun elsewhere."""
    _tank.left = units


def burn(units: int) -> None:
    """Take from the tank; raises `Exhausted` when it has run dry."""
    left = _tank.left - units
    _tank.left = left
    if left < 0:
        raise Exhausted(f"the expressions of one hit look at no more than {FULL:,} entries")


def fuel_left() -> int:
    """Return how many units there are."""
    return max(0, _tank.left)


def sparse(size: int, count: int) -> bool:
    """Tell whether a table of `size` bytes was drained of nearly all that it held.

    The entry that is left can lie behind millions of empty slots, and the walk past those, in
    C, cannot be stopped. `size` is what the base type's own `__sizeof__` says.
    """
    slots = size // _SLOT_BYTES
    return slots > SPARSE_SLOTS and slots > SPARSE_RATIO * count
