"""What the agent cannot do in this process, or does not, and why: for whoever wonders.

Only what differs from the ordinary is named; a process with nothing to say has no notes.
"""

import os
import sys

from leadline import native
from leadline.agent.capture.traceback import readable

MAX_CHARS = 200


def core_name() -> str:
    """Return which core this process will run, before it is loaded."""
    return "pure" if native.core() is None else "native"


def notes(core: str, tool: int | None) -> dict[str, str]:
    """Return a sentence for each ability that is limited here. Runs no code of the
    application."""
    found: dict[str, str] = {}
    if core == "pure":
        found["native core"] = f"not in use, hits cost ten times as much: {native.reason()}"
    others = [
        f"{other} ({str(name)[:50]})"
        for other in range(6)
        if other != tool and (name := sys.monitoring.get_tool(other)) is not None
    ]
    if others:
        found["other tools"] = f"at sys.monitoring: {', '.join(others)}"
    if sys.gettrace() is not None:
        found["trace function"] = "a debugger or a coverage tool traces this thread"
    if not readable():
        found["frames of exceptions"] = "this interpreter lays tracebacks out in another way"
    if sys.platform != "linux":
        found["platform"] = f"{sys.platform}: the agent is tried on Linux only"
    if os.environ.get("LEADLINE_STRICT", "") not in ("", "0"):
        found["strict"] = "only numbers, booleans and lengths leave this process"
    if sys.flags.optimize:
        found["optimised"] = "python -O: assert statements have no code"
    return {name: text[:MAX_CHARS] for name, text in found.items()}
