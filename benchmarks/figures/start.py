"""What a tool costs a process that does nothing else: CPU time and memory of an interpreter.

Processes are started in turn. CPU time is that of the whole process, from its start to its end,
its own threads included; memory is what it holds before it ends. Of each, the least counts, and
what is told is the difference to an interpreter without any of it. Leadline's server is away.
"""

import os
import sys
import tempfile

from benchmarks.figures import Tell, Values, spread

_TOOLS = {
    "nothing": "pass",
    "leadline": "pass",
    "leadline, with a first probe": "pass",
    "logging": "import logging",
    "prometheus_client": "import prometheus_client",
    "OpenTelemetry": (
        "import opentelemetry.sdk.trace.export, opentelemetry.sdk.metrics.export"
    ),
    "ddtrace": (
        "import os; os.environ.update(DD_REMOTE_CONFIGURATION_ENABLED='false',"
        " DD_INSTRUMENTATION_TELEMETRY_ENABLED='false', DD_TRACE_ENABLED='false')\n"
        "from ddtrace.debugging import DynamicInstrumentation\n"
        "DynamicInstrumentation.enable()"
    ),
    "debugpy": "import debugpy; debugpy.listen(('127.0.0.1', 0))",
}
_QUICK_TO_END = ("OpenTelemetry", "ddtrace", "debugpy")
"""Whose way out is not asked for: it waits for threads and for servers that are not there."""
_SAY = """
import os
with open("/proc/self/status") as status:
    os.write(3, next(line for line in status if line.startswith("VmRSS")).encode())
"""
_PROBE = (
    '[{"id":"p","kind":"log","moment":"line","target":{"file":"nowhere.py","line":1},'
    '"template":"x","limits":{},"capture":{}}]'
)
_URL = "http://127.0.0.1:1"


def measure(tell: Tell, *, quick: bool) -> tuple[Values, Values]:
    """Return milliseconds of CPU time and megabytes beyond those of the interpreter alone."""
    rounds, times = (2, 4) if quick else (5, 12)
    cpu: dict[str, list[float]] = {}
    memory: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in _TOOLS:
            _run(name, folder)  # so that everything is compiled, and read from disk once
        for number in range(rounds):
            tell(f"starting processes, round {number + 1} of {rounds}")
            found: dict[str, list[tuple[float, float]]] = {name: [] for name in _TOOLS}
            for _ in range(times):
                for name, used in found.items():
                    used.append(_run(name, folder))
            bare_ms = min(ms for ms, _ in found["nothing"])
            bare_mb = min(mb for _, mb in found.pop("nothing"))
            for name, used in found.items():
                cpu.setdefault(name, []).append(min(ms for ms, _ in used) - bare_ms)
                memory.setdefault(name, []).append(min(mb for _, mb in used) - bare_mb)
    return (
        {name: spread(values) for name, values in cpu.items()},
        {name: spread(values) for name, values in memory.items()},
    )


def _run(name: str, folder: str) -> tuple[float, float]:
    """Return the CPU time (ms) and the most memory (MB) of one process."""
    environ = {
        variable: value
        for variable, value in os.environ.items()
        if not variable.startswith("LEADLINE") and variable != "PYTHONDONTWRITEBYTECODE"
    }
    environ["PYTHONPYCACHEPREFIX"] = folder
    if name.startswith("leadline"):
        environ["LEADLINE_URL"] = _URL
    if "first probe" in name:
        environ["LEADLINE_PROBES"] = _PROBE
    code = _TOOLS[name] + _SAY + ("os._exit(0)" if name in _QUICK_TO_END else "")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    said, saying = os.pipe()
    process = os.posix_spawn(
        sys.executable,
        [sys.executable, "-c", code],
        environ,
        file_actions=[
            (os.POSIX_SPAWN_DUP2, nowhere, 1),
            (os.POSIX_SPAWN_DUP2, nowhere, 2),
            (os.POSIX_SPAWN_DUP2, saying, 3),
        ],
    )
    os.close(nowhere)
    os.close(saying)
    _, _, used = os.wait4(process, 0)
    words = os.read(said, 100).split()
    os.close(said)
    return (used.ru_utime + used.ru_stime) * 1e3, int(words[1]) / 1024
