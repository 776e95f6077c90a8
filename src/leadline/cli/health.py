"""How a server and the processes at it are, as findings."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from leadline import __version__
from leadline.cli.client import Client
from leadline.cli.duration import spoken
from leadline.cli.finding import Finding, Level, ok, problem_of
from leadline.cli.switches import switch_line
from leadline.wire.errors import LeadlineError

_CLOCK_S = 2.0
"""Clocks that differ by more make times in a list look wrong."""
_LITTLE_DISK_BYTES = 500_000_000


def server_findings(service: str | None) -> Iterator[Finding]:
    """Ask the server, and yield what there is to say about it and its processes."""
    try:
        client = Client()
    except LeadlineError as error:
        yield problem_of("server", error)
        return
    try:
        asked = time.time()
        answer = client.get("/v1/doctor")
        between = (asked + time.time()) / 2
    except LeadlineError as error:
        yield _no_answer(client, error)
        return
    server = answer["server"]
    yield ok("server", f"{client.url} answers, version {server['version']}, and takes the key")
    if server["version"] != __version__:
        yield Finding(
            Level.WARNING, "server", f"its version is not this command's ({__version__})",
            "Install the same version on both sides.",
        )  # fmt: skip
    yield _clock(answer["now"] - between)
    yield from _database(answer["database"])
    yield _exporter(answer["exporter"])
    for switch in answer["off"]:
        yield Finding(Level.WARNING, "off", switch_line(switch), "`leadline on` ends it.")
    for one in answer["findings"]:
        yield Finding(Level(one["level"]), one["subject"], one["message"], one["hint"])
    yield from _services(answer["instances"], service)


def _no_answer(client: Client, error: LeadlineError) -> Finding:
    """What it means that the server does not say how it is."""
    if error.slug != "no-such-address":
        return problem_of("server", error)
    try:
        client.get("/v1/services")
    except LeadlineError as worse:
        return problem_of("server", worse)
    return Finding(
        Level.WARNING,
        "server",
        f"{client.url} answers, and cannot say how it is",
        "It is older than this command: install the same version on both sides.",
    )


def _clock(ahead: float) -> Finding:
    if abs(ahead) <= _CLOCK_S:
        return ok("clock", f"the server's differs by {abs(ahead) * 1e3:.0f} ms")
    way = "ahead of" if ahead > 0 else "behind"
    return Finding(
        Level.WARNING,
        "clock",
        f"the server's is {spoken(abs(ahead))} {way} this machine's",
        "Let both follow a time server; times of hits come from the service's clock.",
    )


def _database(database: Mapping[str, Any]) -> Iterator[Finding]:
    stored = ", ".join(f"{kept['count']:,} {kind}" for kind, kept in database["stored"].items())
    keep = f"; kept for {spoken(database['keep_s'])}" if database["keep_s"] else ""
    yield ok(
        "database",
        f"{database['path']}: {database['bytes'] / 1e6:.1f} MB, {stored or 'empty'}{keep}",
    )
    free = database["disk_free_bytes"]
    if free is not None and free < _LITTLE_DISK_BYTES:
        yield Finding(
            Level.WARNING, "database", f"the disk has {free / 1e6:.0f} MB left",
            "Make room, or `leadline purge` what is not needed.",
        )  # fmt: skip


def _exporter(exporter: Mapping[str, Any] | None) -> Finding:
    if exporter is None:
        return ok("exporter", "none is set up")
    sent = sum(exporter["sent"].values())
    if exporter["failing_since"]:
        since = spoken(time.time() - exporter["failing_since"])
        return Finding(
            Level.PROBLEM,
            "exporter",
            f"{exporter['url']} has taken nothing for {since}: {exporter['last_error']}",
            "Look at the collector; what waits is sent when it is back.",
        )
    return ok("exporter", f"{exporter['url']}: {sent:,} sent, {exporter['waiting']} waiting")


def _services(instances: Sequence[Mapping[str, Any]], service: str | None) -> Iterator[Finding]:
    by_service: dict[str, list[Mapping[str, Any]]] = {}
    for one in instances:
        by_service.setdefault(one["info"]["service"], []).append(one)
    if service is not None:
        if service not in by_service:
            yield Finding(
                Level.PROBLEM,
                service,
                "no process of this service is connected",
                f"Start it by `leadline run --service {service} -- PROGRAM ...`; "
                "`leadline doctor -- PROGRAM ...` checks that command.",
            )
        by_service = {service: by_service.get(service, [])}
    elif not by_service:
        yield Finding(
            Level.NOTE, "services", "no process is connected",
            "Start one: leadline run --service NAME -- PROGRAM ...",
        )  # fmt: skip
    for name, processes in by_service.items():
        if processes:
            yield from _processes(name, processes)


def _processes(service: str, processes: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    kinds = Counter(
        f"Python {one['info']['python']}, {one['info']['core']} core, agent "
        f"{one['info']['agent']}"
        for one in processes
    )
    for kind, count in kinds.items():
        yield ok(service, f"{count} connected: {kind}")
    notes = Counter(
        (what, why) for one in processes for what, why in one["info"]["notes"].items()
    )
    for (what, why), count in notes.items():
        yield Finding(Level.NOTE, service, f"{what}: {why} (in {count} of {len(processes)})")
    faults = sum(sum(one["faults"].values()) for one in processes)
    if faults:
        yield Finding(
            Level.WARNING, service, f"the agent has failed {faults} times, and swallowed it",
            "This is a defect of Leadline: please report what `leadline status --json` says.",
        )  # fmt: skip
    dropped = sum(sum(one["dropped"].values()) for one in processes)
    if dropped:
        yield Finding(
            Level.WARNING, service, f"{dropped} hits were lost in the processes",
            "Give the probes a lower --rate or a condition.",
        )  # fmt: skip
