"""What it costs to write the arguments of a call down by value, beside `pickle`.

    python -m benchmarks.keeping

Three arguments as calls have them: a list of five frozen dataclasses of seven fields, another
object, a dictionary of four. Each step takes turns with pickling the same objects, in short
windows of processor time; told are the minimum of each and the median of the ratios within a
round, with the middle half of them. QUICK=1 takes fewer rounds.
"""

import dataclasses
import os
import pickle
import statistics
import time
from collections.abc import Callable

from benchmarks.machine import about
from leadline.agent.capture.keeping import Landmarks, keep, withhold
from leadline.trial.rebuilding import rebuild
from leadline.wire.messages import encode

ROUNDS = 200
QUICK_ROUNDS = 40
CALLS = 50
"""Of each step in a round."""


@dataclasses.dataclass(frozen=True)
class Line:
    sku: str
    count: int
    price: float
    in_stock: bool
    note: str | None
    name: str
    cents: int


@dataclasses.dataclass
class Customer:
    name: str
    country: str
    level: int


def arguments() -> dict[str, object]:
    return {
        "lines": [
            Line(f"sku{at}", at, 1.5 * at, True, None, f"name {at}", at * 100)
            for at in range(5)
        ],
        "customer": Customer("Ann", "DE", 3),
        "options": {"express": 1, "rate": 2.0, "until": None, "coupon": "X"},
    }


def window(call: Callable[[], object]) -> float:
    began = time.thread_time()
    for _ in range(CALLS):
        call()
    return (time.thread_time() - began) / CALLS * 1e6


def main() -> None:
    named = arguments()
    landmarks = Landmarks.of_process()
    kept = keep(named.items(), landmarks=landmarks)
    assert kept.document is not None
    document = kept.document
    steps: dict[str, Callable[[], object]] = {
        "pickle": lambda: pickle.dumps(named),
        "write down": lambda: keep(named.items(), landmarks=landmarks),
        "withhold": lambda: withhold(kept),
        "encode": lambda: encode(document),
        "make again": lambda: rebuild(document),
    }
    rounds = QUICK_ROUNDS if os.environ.get("QUICK") else ROUNDS
    seen: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, call in steps.items():
            seen[name].append(window(call))
    print(about())
    print(f"{len(encode(document)):,} bytes, {len(document['nodes'])} nodes")
    print(f"{'':12}{'us':>8}{'x pickle':>10}   middle half")
    for name, times in seen.items():
        ratios = [one / base for one, base in zip(times, seen["pickle"], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        print(f"{name:12}{min(times):8.1f}{middle:10.1f}   {low:.1f} to {high:.1f}")


if __name__ == "__main__":
    main()
