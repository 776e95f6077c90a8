"""`make bench`: prints what was measured, on which machine, and how far it scatters.

`QUICK=1` takes fewer windows and samples.
"""

import os
import platform
import sys

from benchmarks import end_to_end, hot_path, serving


def main() -> int:
    """Measure and print; returns the exit status."""
    quick = os.environ.get("QUICK", "") not in ("", "0")
    print(
        f"{platform.python_implementation()} {platform.python_version()}, {platform.system()} "
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n"
    )
    print("one passage, thread CPU time beyond an unprobed call (pure-Python core)")
    figures = hot_path.measure(windows=20 if quick else 150)
    by_hand = figures[0].extra_ns
    for one in figures:
        print(
            f"  {one.name:36} {one.extra_ns:9.0f} ns  ({one.low_ns:.0f} to {one.high_ns:.0f})"
            f"  {one.extra_ns / by_hand:6.2f} x logging.info"
        )
    print("\nend to end, milliseconds (median, 95th percentile, largest)")
    for times in end_to_end.measure(samples=15 if quick else 100):
        print(f"  {times.name:28} {times.p50:7.1f} {times.p95:7.1f} {times.most:7.1f}")
    _requests(serving.measure(1, 15) if quick else serving.measure(5, 40))
    return 0


def _requests(seen: serving.Serving) -> None:
    print(
        "\na service of Flask and SQLite; ratios to no agent: median (10 % to 90 % of rounds)"
    )
    for load in seen.loads:
        speed, cpu = load.speed, load.cpu
        print(
            f"  {load.name:28} {load.per_s:6.0f} requests/s x {speed.median:.3f}"
            f" ({speed.low:.3f} to {speed.high:.3f})  {load.cpu_us:6.0f} us CPU each"
            f" x {cpu.median:.3f} ({cpu.low:.3f} to {cpu.high:.3f})"
            f"  beside {load.beside_us / 1e4:+.2f} % of a core"
        )
        for what, spread in (("requests/s", speed), ("CPU", cpu)):
            of_each = " ".join(f"{median:.3f}" for median in spread.generations)
            print(f"  {'':28} {what}, ratio in each generation of processes: {of_each}")
    fates = ", ".join(f"{count} {fate}" for fate, count in seen.fates.items() if count)
    print(f"  {seen.requests} requests to the probed line; of their passages: {fates}")
    print(f"  a hit's own receipt: {seen.receipt_us:.0f} us of the application's thread")


if __name__ == "__main__":
    sys.exit(main())
