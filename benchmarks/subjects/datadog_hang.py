"""Whether ddtrace's own way of a full buffer holds up the application, as it is shipped.

    python -m benchmarks.subjects.datadog_hang FRAMES SECONDS

One log probe of the default rate on a hot line, under so many frames, a healthy stand-in agent.
Prints how many calls were made, and whether the thread then stood still for eight seconds.
"""

import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks import target
from benchmarks.subjects.datadog import _LOG, stand_in

STILL_S = 8.0


def main(frames: int, seconds: float) -> None:
    stand_in()
    where = {"sourceFile": target.__file__, "lines": [str(target.line("hot"))]}
    probes = Path(tempfile.mkdtemp(), "probes.json")
    probes.write_text(json.dumps([{"id": "p", "version": 0, "where": where} | _LOG]), "utf-8")
    os.environ["DD_DYNAMIC_INSTRUMENTATION_PROBE_FILE"] = str(probes)
    from ddtrace.debugging import DynamicInstrumentation

    DynamicInstrumentation.enable()
    time.sleep(2)
    done = [0]

    def work() -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            target.deeper(frames, lambda: target.price(3, 4))
            done[0] += 1

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    last, since = -1, time.monotonic()
    while thread.is_alive() and time.monotonic() - since < STILL_S:
        time.sleep(0.2)
        if done[0] != last:
            last, since = done[0], time.monotonic()
    print(json.dumps({"calls": done[0], "hung": thread.is_alive()}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
