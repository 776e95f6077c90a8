"""The agent's seat at `sys.monitoring`: a tool id, taken when the agent comes in.

Long before there is a probe, so that whoever looks sees who is there, and so that a process
without a free seat says so at its start and not when it is asked something.
"""

import sys

from leadline.wire.errors import UnavailableError

_TOOL_IDS = (4, 3, 5)
"""0, 1 and 2 belong by convention to debuggers, coverage and profilers."""
_NAME = "leadline"


def take() -> int:
    """Take the first free tool id and return it.

    Raises `UnavailableError`: `free-threaded` on a build without the GIL, `no-tool-id`
    when other tools hold every id that is not spoken for.
    """
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        raise UnavailableError(
            "free-threaded",
            "This interpreter runs without the global interpreter lock.",
            "CPython's monitoring is not safe there yet; start a build with the GIL.",
        )
    for tool in _TOOL_IDS:
        try:
            sys.monitoring.use_tool_id(tool, _NAME)
        except ValueError:
            continue
        return tool
    holders = ", ".join(str(sys.monitoring.get_tool(tool)) for tool in _TOOL_IDS)
    raise UnavailableError(
        "no-tool-id",
        f"Every free seat at sys.monitoring is taken by other tools: {holders}.",
        "Stop one of them in this process; Leadline never takes a seat away.",
    )
