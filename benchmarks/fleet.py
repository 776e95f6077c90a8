"""A fleet on one machine: many real agents on one server, every hit accounted for.

    python -m benchmarks.fleet [INSTANCES [HITS_PER_S [SECONDS]]]

Each instance is a process of its own with a real agent and real HTTP, forked from one that has
all modules in memory, so that two hundred of them fit. It passes two probed lines so many times
a second. At the end each tells how often it did; that has to be what the server counts as
stored, plus what the agent counts as lost with a reason. While it goes on, the page is opened
again and again. Agents, server and page share the cores: what each of them took is told.

The exit status is 1 if a hit is missing or stored twice.
"""

import http.client
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import leadline
from benchmarks.ingest import _connect, _cpu_s, _keys, _place, _start
from benchmarks.machine import about
from leadline.wire.limits import MAX_HITS
from leadline.wire.probe import Fate

INSTANCES = 200
HITS_PER_S = 20_000
SECONDS = 60.0
SERVICE = "bench"
TICK_S = 0.1
"""How often an instance wakes to pass the lines: a service's requests come in bursts too."""
BURST = 30
"""Calls made at once at most by an instance that got no processor for a while: more would be
over the rate, for which a probe is switched off and passages are not even counted."""
START_S = 120.0
"""Until all agents are connected and armed, and later until the last hit has arrived."""
SETTLED_S = 30.0
"""Without news for so long, nothing more is expected."""
SHOWN = 5
"""Instances with a wrong sum that are told one by one."""
PAUSE_S = 0.25
"""Between two pages that are opened."""


def work(number: int, name: str) -> int:
    """What is probed: two lines, each passed once a call."""
    many = len(name)
    return number + many


LINE = work.__code__.co_firstlineno + 2
LINES = (LINE, LINE + 1)


@dataclass
class Pages:
    """How long each address took, in milliseconds."""

    took: dict[str, list[float]] = field(default_factory=dict)

    def ask(self, url: str, user: str, addresses: list[str], stop: threading.Event) -> None:
        """Open the addresses in turn until told to stop."""
        connection = _connect(url)
        while not stop.is_set():
            for address in addresses:
                begun = time.perf_counter()
                _ask(connection, user, address)
                took = (time.perf_counter() - begun) * 1e3
                self.took.setdefault(address, []).append(took)
                stop.wait(PAUSE_S)
        connection.close()


def main(instances: int = INSTANCES, per_s: int = HITS_PER_S, seconds: float = SECONDS) -> int:
    """Measure and print; returns the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        server, url = _start(Path(folder))
        try:
            user, key = _keys(Path(folder))
            seen = about()
            print(f"{seen['machine']}, {seen['python']}, {seen['date']}, load {seen['load']}")
            good = _run(url, user, key, server.pid, instances, per_s, seconds)
        finally:
            server.terminate()
            server.wait(10)
            assert server.stdout is not None
            server.stdout.close()
    return 0 if good else 1


def _run(
    url: str, user: str, key: str, server: int, instances: int, per_s: int, seconds: float
) -> bool:
    limits = {"hits": MAX_HITS, "rate_per_s": 1_000.0, "ttl_s": 3_600.0}
    body = {"kind": "log", "template": "{number} of {name}", "limits": limits}
    probes = [
        _place(url, user, body | {"target": f"benchmarks/fleet.py:{line}"}) for line in LINES
    ]
    calls = per_s / instances / len(LINES)
    fleet, tellers = _raise_fleet(url, key, instances, calls, seconds)
    began = time.monotonic()
    while _armed(url, user, probes) < instances * len(probes):
        if time.monotonic() - began > START_S:
            raise TimeoutError("not all instances were armed in time")
        time.sleep(0.5)
    print(f"  {instances} instances armed in {time.monotonic() - began:.1f} s")
    stop, pages = threading.Event(), Pages()
    addresses = ["/", "/hits", f"/probes/{probes[0]}", "/v1/probes"]
    reader = threading.Thread(target=pages.ask, args=(url, user, addresses, stop), daemon=True)
    busy, cpu, begun = _machine_s(), _cpu_s(server), time.perf_counter()
    for teller in tellers:
        teller.send("go")
    reader.start()
    time.sleep(seconds)
    cpu = _cpu_s(server) - cpu
    stored = sum(_probe(url, user, probe)["hits"] for probe in probes)
    took, busy = time.perf_counter() - begun, _machine_s() - busy
    stop.set()
    reader.join()
    told = [_told(teller) for teller in tellers]
    late = _settle(url, user, probes, sum(one["passed"] for one in told))
    print(
        f"  {stored / took:,.0f} hits/s were stored over {took:.1f} s ({stored:,} by its end);"
        f" the server took {cpu / took:.2f} cores, {cpu / stored * 1e6:.1f} us a hit"
    )
    agents_s = sum(one["cpu_s"] for one in told)
    print(
        f"  the agents' processes took {agents_s / took:.2f} cores,"
        f" the machine was busy with {busy / took:.2f} of {os.cpu_count()}"
    )
    for address, times in pages.took.items():
        quantiles = statistics.quantiles(times, n=20)
        shown = address.replace(probes[0], "PROBE")
        print(
            f"  {shown:16} p50 {statistics.median(times):6.0f} ms  p95 {quantiles[-1]:6.0f} ms"
            f"  longest {max(times):6.0f} ms  of {len(times)}"
        )
    print(f"  all that was made had arrived {late:.1f} s after the last of it")
    good = _account(url, user, probes, told)
    for teller in tellers:
        teller.send("end")
    for one in fleet:
        one.join(START_S)
    return good


def _settle(url: str, user: str, probes: list[str], passed: int) -> float:
    """Wait until as much has arrived as was made, or nothing has for a while."""
    begun = last = time.monotonic()
    before = -1
    while time.monotonic() - last < SETTLED_S:
        states = [one for probe in probes for one in _probe(url, user, probe)["instances"]]
        seen = sum(_probe(url, user, probe)["hits"] for probe in probes)
        seen += sum(sum(one["fates"].values()) for one in states)
        if seen == 2 * passed:
            break
        if seen != before:
            before, last = seen, time.monotonic()
        time.sleep(0.5)
    return last - begun


def _account(url: str, user: str, probes: list[str], told: list[dict[str, Any]]) -> bool:
    """Compare what was passed with what became of it, instance by instance."""
    services = json.loads(_get(url, user, "/v1/services"))
    (service,) = [one for one in services["services"] if one["service"] == SERVICE]
    by_pid = {one["info"]["pid"]: one for one in service["instances"]}
    states = [state for probe in probes for state in _probe(url, user, probe)["instances"]]
    fates: dict[int, Counter[str]] = {}
    for state in states:
        fates.setdefault(state["pid"], Counter()).update(state["fates"])
    passed = stored = 0
    lost: Counter[str] = Counter()
    wrong = 0
    for one in told:
        record, fate = by_pid[one["pid"]], fates[one["pid"]]
        kept_back = Counter({name: many for name, many in fate.items() if name != _CAPTURED})
        dropped = Counter(record["dropped"])
        passed += one["passed"]
        stored += record["hits"]
        lost += kept_back + dropped
        captured = fate[_CAPTURED]
        right = one["passed"] == sum(fate.values()) and captured == record["hits"] + sum(
            count for reason, count in dropped.items() if reason != Fate.DROPPED
        )
        if not right or record["faults"] or record["strays"]:
            wrong += 1
            if wrong > SHOWN:
                continue
            print(
                f"  wrong: {one['passed']} made, {record['hits']} stored, {dict(fate)},"
                f" dropped {dict(dropped)}, faults {record['faults']},"
                f" strays {record['strays']}, connected {record['connected']}"
            )
    counted = sum(_probe(url, user, probe)["hits"] for probe in probes)
    kept = _probe(url, user, probes[0])["beyond_limit"]
    print(
        f"  {passed:,} hits were made, {stored:,} stored once"
        f" ({counted:,} by their probes, {kept} beyond a limit), lost and counted:"
        f" {dict(lost) or 'none'}; instances in which the sum is wrong: {wrong}"
    )
    return not wrong and stored == counted and passed == stored + sum(lost.values())


_CAPTURED = str(Fate.CAPTURED)


def _raise_fleet(
    url: str, key: str, instances: int, calls: float, seconds: float
) -> tuple[list[Any], list[Connection]]:
    forking = multiprocessing.get_context("fork")
    fleet, tellers = [], []
    for number in range(instances):
        mine, theirs = forking.Pipe()
        process = forking.Process(
            target=_instance,
            args=(url, key, number / instances, calls, seconds, theirs),
            daemon=True,
        )
        process.start()
        theirs.close()
        fleet.append(process)
        tellers.append(mine)
    return fleet, tellers


def _instance(
    url: str, key: str, phase: float, calls: float, seconds: float, parent: Connection
) -> None:
    """One process of the service: passes the lines `calls` times a second."""
    assert leadline.start(SERVICE, url=url, key=key)
    parent.recv()
    cpu_s = time.process_time()
    begun = time.monotonic() + phase * TICK_S
    made = 0
    while (now := time.monotonic()) < begun + seconds:
        due = int((now - begun) * calls)
        for _ in range(min(due - made, BURST)):
            work(made, "the fleet")
            made += 1
        time.sleep(TICK_S)
    cpu_s = time.process_time() - cpu_s
    parent.send({"pid": os.getpid(), "passed": made * len(LINES), "cpu_s": cpu_s})
    parent.recv()


def _told(teller: Connection) -> dict[str, Any]:
    if not teller.poll(START_S):
        raise TimeoutError("an instance did not end in time")
    said: dict[str, Any] = teller.recv()
    return said


def _armed(url: str, user: str, probes: list[str]) -> int:
    states = [state for probe in probes for state in _probe(url, user, probe)["instances"]]
    return sum(state["status"] == "armed" for state in states)


def _probe(url: str, user: str, probe: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_get(url, user, f"/v1/probes/{probe}"))["probe"]
    return found


def _get(url: str, user: str, path: str) -> bytes:
    connection = _connect(url)
    try:
        return _ask(connection, user, path)
    finally:
        connection.close()


def _ask(connection: http.client.HTTPConnection, user: str, path: str) -> bytes:
    connection.request("GET", path, headers={"Authorization": f"Bearer {user}"})
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status == 200, (path, answer.status)
    return content


def _machine_s() -> float:
    """Return the seconds that all cores together have worked, for whomever."""
    words = Path("/proc/stat").read_text("ascii").splitlines()[0].split()[1:]
    user, nice, system, _, _, irq, softirq, *_ = map(int, words)
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(
        main(*(kind(text) for kind, text in zip((int, int, float), sys.argv[1:], strict=False)))
    )
