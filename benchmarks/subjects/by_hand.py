"""The log line that somebody would have written, to a file handler that writes to nowhere."""

import logging
import platform
from collections.abc import Callable

from benchmarks import target
from benchmarks.subjects import Case
from benchmarks.windows import pauses_ns

_log = logging.getLogger("bench")


def price_if(quantity: int, unit: int) -> int:
    subtotal = quantity * unit
    if subtotal < 0:
        subtotal = 0
    total = subtotal + 7
    if quantity > 1_000:
        _log.info("quantity=%s unit=%s", quantity, unit)
    return total


def price(quantity: int, unit: int) -> int:
    subtotal = quantity * unit
    if subtotal < 0:
        subtotal = 0
    total = subtotal + 7
    _log.info("quantity=%s unit=%s", quantity, unit)
    return total


def hold(hostile: target.Hostile) -> int:
    wide, text, deep = hostile.wide, hostile.text, hostile.deep
    _log.info("wide=%s text=%s deep=%s", wide, text, deep)
    return len(wide) + len(text) + len(deep)


class Subject:
    """See `benchmarks.subjects.Subject`."""

    version = f"of CPython {platform.python_version()}"
    turns = 20

    def __init__(self) -> None:
        _log.setLevel(logging.INFO)
        _log.propagate = False
        handler = logging.FileHandler("/dev/null")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        _log.addHandler(handler)

    def cases(self) -> dict[str, Callable[[], Case]]:
        def plain() -> int:
            return target.price(3, 4)

        return {
            "condition": lambda: (plain, lambda: price_if(3, 4), lambda _: None),
            "log": lambda: (plain, lambda: price(3, 4), lambda _: None),
        }

    def between(self) -> None:
        return

    def pauses(self) -> dict[str, list[int]]:
        hostile = target.Hostile()
        return {"hostile value": pauses_ns(lambda: hold(hostile), 3)}
