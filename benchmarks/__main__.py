"""`make bench`: prints what was measured, on which machine, and how far it scatters.

`QUICK=1` takes fewer windows and samples.
"""

import os
import platform
import sys

from benchmarks import end_to_end, hot_path


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
            f"  {one.name:28} {one.extra_ns:9.0f} ns  ({one.low_ns:.0f} to {one.high_ns:.0f})"
            f"  {one.extra_ns / by_hand:6.2f} x logging.info"
        )
    print("\nend to end, milliseconds (median, 95th percentile, largest)")
    for times in end_to_end.measure(samples=15 if quick else 100):
        print(f"  {times.name:28} {times.p50:7.1f} {times.p95:7.1f} {times.most:7.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
