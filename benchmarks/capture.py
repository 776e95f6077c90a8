"""What a captured call costs, beside the same call without a probe, in the demo's shop.

    python -m benchmarks.capture [quote] [order] [request]

*quote* is a function that only computes, *order* a whole order through SQLite
(`checkout.place_order`, in a file in a temporary folder), *request* the same order as a request
to the ASGI application, from the scope to the last byte of the response.

One process; the control of each row is measured right after it, when the probe is gone.
*captured* is the whole of it on the application's thread: arguments by value, predicate,
outcome. *let go* is a call that is looked at and not chosen. *off* is a capture whose rate is
used up, *expired* one that has all its calls, *removed* one that was taken out. Ratios are of
medians within a round; the spread is over the rounds. LEADLINE_CORE=pure measures the core in
Python.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import about
from leadline.agent.core import Monitor, Passage, choose
from leadline.agent.probes.registry import Registry
from leadline.demo.__main__ import SERVICE
from leadline.wire.limits import Limits
from leadline.wire.probe import CaptureProbe, Fate
from leadline.wire.target import parse_place

ROUNDS = 15
PLENTY = 10**18
SHELF = 1_000_000


@dataclass(frozen=True)
class Subject:
    """A function, one call of it, and how many of them are a round."""

    entry: str
    call: Callable[[], object]
    some: str
    """A predicate that holds of each of these calls."""
    none: str
    calls: int = 300
    prepare: Callable[[], object] = lambda: None
    """What has to be done before each round."""


def quoting() -> Subject:
    """Lines of a basket to their price: nothing but computation."""
    from shop.basket import Line
    from shop.customers import Customer
    from shop.pricing import quote
    from shop.vouchers import Voucher

    lines = [
        Line(f"PEN-{number}", f"Pen {number}", number + 1, 1_990, 19, 120, True)
        for number in range(4)
    ]
    customer = Customer(7, "Ada Becker", "ada@mail.example", "DE", "silver")
    voucher = Voucher("HARBOUR10", "percent", 10, 2_500, "2099-12-31")
    return Subject(
        "shop.pricing:quote",
        lambda: quote(lines, customer, voucher),
        "result['total'] > 0",
        "result['total'] < 0",
    )


class Shop:
    """The shop's database in a folder, as the service has it, and an order for it."""

    def __init__(self, folder: Path) -> None:
        from shop import seed
        from shop.app import create_app
        from shop.catalog import Catalog
        from shop.db import Database
        from shop.settings import Settings

        settings = Settings(database=folder / "shop.sqlite3")
        self.db = Database(settings.database)
        self.db.create()
        seed.fill(self.db)
        self.catalog = Catalog(self.db, 3_600.0)
        self.app = create_app(settings)
        self.app.state.db, self.app.state.catalog = self.db, self.catalog
        self.skus = [one.sku for one in self.catalog.search(category="office", limit=4)]
        self.loop = asyncio.new_event_loop()

    def refill(self) -> None:
        with self.db.writing() as connection:
            connection.execute("UPDATE stock SET on_hand = ?", (SHELF,))
            connection.execute("DELETE FROM outbox")

    def ordering(self) -> Subject:
        """A basket to an order that is stored."""
        from shop.basket import Item
        from shop.checkout import Basket, place_order

        basket = Basket(1_003, tuple(Item(sku, 2) for sku in self.skus))
        return Subject(
            "shop.checkout:place_order",
            lambda: place_order(self.db, self.catalog, basket, "tok_1003_7"),
            "result['total'] > 0",
            "result['total'] < 0",
            100,
            self.refill,
        )

    def serving(self) -> Subject:
        """A request for an order to its response."""
        lines = [{"sku": sku, "quantity": 2} for sku in self.skus]
        order = {"customer": 1_003, "lines": lines, "payment_token": "tok_1003_7"}
        body = json.dumps(order).encode()
        names = {"host": "shop", "content-type": "application/json", "user-agent": "bench"}
        headers = [(name.encode(), one.encode()) for name, one in names.items()]
        headers.append((b"content-length", b"%d" % len(body)))

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, object]) -> None:
            assert message.get("status", 201) == 201

        async def ask() -> None:
            scope = {
                "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1",
                "method": "POST", "scheme": "http", "path": "/orders", "raw_path": b"/orders",
                "query_string": b"", "root_path": "", "headers": headers,
                "client": ("127.0.0.1", 4_711), "server": ("127.0.0.1", 8_010), "state": {},
            }  # fmt: skip
            await self.app(scope, receive, send)

        return Subject(
            "starlette.applications:Starlette.__call__",
            lambda: self.loop.run_until_complete(ask()),
            "response.status == 201",
            "response.status == 500",
            100,
            self.refill,
        )


class Bench:
    """An agent's engine, in one process with the function."""

    def __init__(self) -> None:
        monitor = Monitor()
        monitor.open()
        self.core = choose(monitor)
        self.registry = Registry(self.core, monitor)
        self.core.budget_ns = self.registry.budget.whole_ns = PLENTY
        self._number = 0

    def place(self, entry: str, fails: str, hits: int) -> str:
        """Capture the function from now on; returns the probe's id."""
        self._number += 1
        limits = Limits(hits, rate_per_s=1_000.0)
        probe = CaptureProbe(f"p{self._number}", parse_place(entry), fails, limits=limits)
        self.registry.add([probe])
        passage = self.passage(probe.id)
        passage.tokens = passage.burst = PLENTY
        return probe.id

    def passage(self, probe: str) -> Passage:
        """Return what counts the probe's beginnings."""
        compiled = self.registry.standing(probe).compiled
        assert compiled is not None
        return compiled.passage

    def read(self) -> None:
        """Take what was captured, as the sender would."""
        for record in self.core.drain(10_000):
            record.passage.read(record.payload)

    def remove(self, probe: str) -> None:
        self.registry.remove([probe])


def median_us(call: Callable[[], object], calls: int) -> float:
    """Return the median of single calls, in microseconds."""
    clock = time.perf_counter_ns
    taken = []
    for _ in range(calls):
        began = clock()
        call()
        taken.append(clock() - began)
    return statistics.median(taken) / 1e3


def rounds(bench: Bench, subject: Subject) -> dict[str, list[tuple[float, float]]]:
    """Measure every row so many times, each beside its control: (with, without)."""
    found: dict[str, list[tuple[float, float]]] = {}
    calls = subject.calls

    def note(row: str, probe: str, taken: float) -> None:
        bench.read()
        bench.remove(probe)
        found.setdefault(row, []).append((taken, median_us(subject.call, calls)))

    for _ in range(ROUNDS):
        subject.prepare()
        probe = bench.place(subject.entry, subject.some, 2 * calls)
        _settle(bench, subject)  # of an application, what it tells its server is heard then
        taken = median_us(subject.call, calls)
        fates = bench.registry.state(probe).fates
        assert fates.get(Fate.CAPTURED, 0) >= calls, fates
        note("captured", probe, taken)

        probe = bench.place(subject.entry, subject.none, 4)
        _settle(bench, subject)
        median_us(subject.call, 20)  # its good ones
        note("let go", probe, median_us(subject.call, calls))

        probe = bench.place(subject.entry, subject.none, 4)
        passage = bench.passage(probe)
        passage.tokens = passage.burst = 0.0  # no window gives it more
        _settle(bench, subject)
        note("off", probe, median_us(subject.call, calls))

        probe = bench.place(subject.entry, subject.some, 1)
        _settle(bench, subject)
        note("expired", probe, median_us(subject.call, calls))

        probe = bench.place(subject.entry, subject.some, 1)
        bench.remove(probe)
        note("removed", probe, median_us(subject.call, calls))
    return found


def _settle(bench: Bench, subject: Subject) -> None:
    """Let the probe be reached, and time pass for it."""
    median_us(subject.call, 3)
    for _ in range(2):
        bench.registry.tick(time.monotonic())


def main() -> None:
    print(", ".join(about().values()))
    sys.path.insert(0, str(SERVICE))
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder))
        subjects = {"quote": quoting, "order": shop.ordering, "request": shop.serving}
        bench = Bench()
        for name in sys.argv[1:] or subjects:
            show(bench, subjects[name]())
        shop.loop.run_until_complete(shop.loop.shutdown_default_executor())
        shop.loop.close()
        shop.db.close()


def show(bench: Bench, subject: Subject) -> None:
    """Measure one function, and print its rows."""
    subject.prepare()
    median_us(subject.call, 3 * subject.calls)
    print(
        f"{subject.entry}, {bench.core.name} core, {ROUNDS} rounds of {subject.calls} calls; "
        "median, range"
    )
    for row, pairs in rounds(bench, subject).items():
        ratios = sorted(one / other for one, other in pairs)
        extra = statistics.median(one - other for one, other in pairs)
        plain = statistics.median(other for _, other in pairs)
        print(
            f"{row:9} {statistics.median(ratios):6.2f}x ({ratios[0]:.2f}-{ratios[-1]:.2f}), "
            f"{extra:+8.1f} us on {plain:.1f} us"
        )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
