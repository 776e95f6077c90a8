"""What a call came to: its result or exception, and its parameters when it ended, as trees.

The live call and its rerun are captured by the same function, at the same moment and in the
same order, so that whatever the limits leave out is left out on both sides.
"""

from collections.abc import Callable, Iterable
from typing import Any

from leadline.trial.showing import seen_under
from leadline.wire.errors import WireError
from leadline.wire.struct import dataclass, field
from leadline.wire.value import Value

ABSENT = "absent"
"""The rule of a value that was not there: its text is the path of what stood in for it."""

CLASS = "class"
"""The member of a value that was taken in a sealed process: which class it is of, or which one
it is, with its module; of an exception with all that its callers can catch it by."""
WHOLE = "whole"
"""The member with a digest of all that a value of a library is, beyond what is shown of it."""
NAMES = "names"
"""The member with what modules call a value that has nothing inside, such as `MISSING =
object()`: it is told apart by that alone."""
BESIDE = "beside"
"""The member with the attributes of a value whose class is derived from a built-in one, such as
`dict`: they stand beside what that shows of it."""
CACHED = "cached"
"""The member with the names of those fields that are values of a `cached_property`, whether or
not they are there: whether one has been asked for yet makes no difference to anybody."""
UNSHOWN = "the "
"""How a path begins that tells of something no call has shown at work, such as the code of a
function that is handed out. No path of a value begins like this."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`value` is the result where it returned, else the exception; `arguments` are the
    parameters that still had a value at the end, by name and in their order. `yields` is what
    a generator gave out before; it gave out `more` values than these, which nobody took."""

    returned: bool
    value: Value = None
    arguments: dict[str, Value] = field(default_factory=dict)
    yields: list[Value] = field(default_factory=list)
    more: int = 0


def outcome_of(
    returned: bool,
    value: object,
    arguments: Iterable[tuple[str, object]],
    shown: Callable[[object], Value],
) -> Outcome:
    """Capture an outcome by `shown`, which shares its room between all of it.

    Runs no code of the application beyond what `shown` and reading `arguments` run: for a live
    process both read only.
    """
    tree = shown(value)
    return Outcome(
        returned, tree, {name: seen_under(shown, name, one) for name, one in arguments}
    )


def read_outcome(value: Any) -> Outcome:
    """Read an outcome that came as JSON; raises `WireError`."""
    if (
        not isinstance(value, dict)
        or type(value.get("returned")) is not bool
        or not isinstance(value.get("arguments"), dict)
        or not isinstance(value.get("yields", []), list)
        or type(value.get("more", 0)) is not int
    ):
        raise WireError("An outcome does not follow the contract.")
    yields = value.get("yields", [])
    more = value.get("more", 0)
    return Outcome(value["returned"], value.get("value"), value["arguments"], yields, more)
