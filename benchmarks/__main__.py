"""`make bench`: measures, prints the table with its spread, and writes docs/performance.md.

`QUICK=1` takes fewer rounds. `ONLY=log,counter` measures only these rows; the page keeps what
was measured of the others before. `KEEP=0` prints and writes nothing.
"""

import os
import sys
import tempfile
import time

_CACHE = "PYTHONPYCACHEPREFIX"


def main() -> int:
    """Measure, print and keep; returns the exit status."""
    from benchmarks import machine, page, results
    from benchmarks.figures import measuring

    quick = os.environ.get("QUICK", "") not in ("", "0")
    about = machine.about()
    print(", ".join(about.values()))
    chosen = measuring.chosen(os.environ.get("ONLY", ""))
    began = time.monotonic()

    def tell(what: str) -> None:
        print(f"  [{time.monotonic() - began:5.0f} s] {what}", file=sys.stderr, flush=True)

    for rows, versions in measuring.measure(chosen, tell, quick=quick):
        if os.environ.get("KEEP", "1") != "0":
            page.write(results.keep(about, rows, versions, quick=quick))
        print(page.render({about["python"]: _alone(about, rows, versions, quick=quick)}))
    return 0


def _alone(
    about: dict[str, str], rows: dict[str, object], versions: dict[str, str], *, quick: bool
) -> dict[str, object]:
    told = {"date": about["date"], "load": about["load"], "quick": quick}
    return {
        "machine": about,
        "versions": versions,
        "rows": {name: {"values": values} | told for name, values in rows.items()},
    }


def _compiled() -> None:
    """Start once more with compiled files kept aside, as an installed package has them:
    without, every process that is measured would compile the agent first."""
    if os.environ.get(_CACHE) or not sys.flags.dont_write_bytecode:
        return
    environ = {
        name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
    }
    environ[_CACHE] = f"{tempfile.gettempdir()}/leadline-bench-{os.getuid()}"
    os.execve(sys.executable, [sys.executable, "-m", "benchmarks"], environ)  # noqa: S606


if __name__ == "__main__":
    _compiled()
    sys.exit(main())
