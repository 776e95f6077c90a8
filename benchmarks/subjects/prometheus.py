"""A counter by hand: prometheus_client's, without labels."""

from collections.abc import Callable
from importlib.metadata import version

from prometheus_client import Counter

from benchmarks import target
from benchmarks.subjects import Case

_count = Counter("prices", "how many")


def price(quantity: int, unit: int) -> int:
    subtotal = quantity * unit
    if subtotal < 0:
        subtotal = 0
    total = subtotal + 7
    _count.inc()
    return total


class Subject:
    """See `benchmarks.subjects.Subject`."""

    version = version("prometheus_client")
    turns = 20

    def cases(self) -> dict[str, Callable[[], Case]]:
        return {
            "counter": lambda: (
                lambda: target.price(3, 4),
                lambda: price(3, 4),
                lambda _: None,
            )
        }

    def between(self) -> None:
        return

    def pauses(self) -> dict[str, list[int]]:
        return {}
