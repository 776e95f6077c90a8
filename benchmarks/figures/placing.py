"""From placing a probe to the agent's word that it is armed, end to end, by server and service.

Through the server's address and through the command line, and for the first probe of a process,
which brings the larger part of the agent in.
"""

from benchmarks import end_to_end
from benchmarks.figures import Tell, Values

POLL_MS = 5_000.0
"""ddtrace asks its agent for probes every five seconds, as its source says; not timed here."""


def measure(tell: Tell, *, quick: bool) -> tuple[Values, Values, dict[str, list[float]]]:
    """Return the rows `placing` and `command`, and everything that was timed: median, 95th
    percentile and largest, in milliseconds."""
    tell("placing probes through a server")
    times = end_to_end.measure(15 if quick else 100, 3 if quick else 20)
    told = {one.name: [one.p50, one.p95, one.most] for one in times}
    placed = told["placed to armed"]
    command = told["command to armed"]
    return (
        {"leadline": [placed[1], placed[0], placed[2]], "ddtrace": [POLL_MS] * 3},
        {"leadline": [command[1], command[0], command[2]]},
        told,
    )
