"""Bad input ends in a clear status, and the service goes on and is right.

Each case here is a running service. The same inputs are tested in more shapes, on the part that
meets them first, elsewhere: what is no expression or template in `tests/expression`; what a
server is asked in `tests/server/test_server_garbage.py` and `test_server_probes.py`; places
that are none in `tests/agent/test_locate.py` and `test_targets_reasons.py`; limits in
`tests/agent/test_limits.py`; one connection's answers in `tests/agent/test_link.py`; two
servers on one port or database in `tests/server/test_server_life.py`; replaced keys in
`tests/server/test_server_keys.py`. Clocks that jump are in `test_bad_clocks.py`.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from bad_servers import GARBAGE, impostor, ordering
from bad_service import FUNCTIONS, LARGE, LOOP, WORK, said, serving, started, timed, works
from leadline.agent.core.passage import BUDGET_NS
from leadline.agent.link.receiver import LONGEST_PAUSE_S
from live import Leadline, free_port
from waiting import wait_for
from watched import ARRIVES_S, Watched

PLACE = f"deep.py:{WORK}"


@pytest.fixture(scope="module")
def deep(shore: Leadline) -> Iterator[Watched]:
    with serving(shore, "deep") as watched:
        yield watched


@pytest.fixture(autouse=True)
def right_at_the_end(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test has done, the service is right, and none of our events is left in it."""
    yield
    if "deep" not in request.fixturenames:
        return
    watched = request.getfixturevalue("deep")
    watched.api.ask("PUT", "/v1/services/deep/sets/many", {"probes": []})
    for probe in watched.api.get("/v1/probes?service=deep")["probes"]:
        watched.remove(probe["id"])
    works(watched.port)
    wait_for(lambda: said(watched.port, "events") == 0)
    watched.unharmed()


def log(template: str, condition: str | None = None) -> dict[str, object]:
    body = {"kind": "log", "target": PLACE, "template": template}
    return body if condition is None else {**body, "condition": condition}


REFUSED = {
    "condition, syntax": (log("x", "n =="), 400, "expression-syntax"),
    "condition, forbidden": (log("x", "(lambda: 1)()"), 400, "expression-forbidden"),
    "condition, assignment": (log("x", "(n := 5) == 5"), 400, "expression-forbidden"),
    "condition, too deep": (log("x", "(" * 900 + "n" + ")" * 900), 400, "expression-too-big"),
    "condition, huge power": (log("x", "9 ** 9 ** 9 > n"), 400, "expression-forbidden"),
    "template, syntax": (log("n={n"), 400, "template-syntax"),
    "template, forbidden": (log("{open('/etc/passwd')}"), 400, "expression-forbidden"),
    "template, import": (log("{__import__('os').abort()}"), 400, "expression-forbidden"),
    "template, long": (log("n" * 2_001), 400, "too-long"),
    "template, huge": (log("n" * 10_000_000), 413, "too-large"),
    "template, wide": (log("{n:>999999999}"), 400, "template-syntax"),
    "metric, syntax": (
        {"kind": "metric", "target": PLACE, "expression": "n n"}, 400, "expression-syntax"),
    "watch, forbidden": (
        {"kind": "snapshot", "target": PLACE, "watches": ["exit()"]},
        400, "expression-forbidden"),
    "kind": ({"kind": "exec", "target": PLACE}, 400, "bad-message"),
    "place": ({"kind": "counter", "target": "deep.py"}, 400, "bad-target"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_meant_never_reaches_the_service(deep, name) -> None:
    body, status, slug = REFUSED[name]
    found, answer = deep.api.ask("POST", "/v1/services/deep/probes", body)
    assert (found, answer["error"]["slug"]) == (status, slug)
    assert said(deep.port, "events") == 0


PLACES = {
    "unknown file": ("depe.py:5", "pending", "deep.py"),
    "comment": (f"deep.py:{WORK - 2}", "error", "nearest"),
    "blank line": (f"deep.py:{WORK - 1}", "error", "nearest"),
    "beyond the end": ("deep.py:99999", "error", "nearest"),
    "unknown module": ("nowhere.at.all:work", "pending", "nowhere"),
    "unknown function": ("deep:worked", "error", "work"),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_place_that_is_none_is_said_by_the_instance(deep, name) -> None:
    target, status, words = PLACES[name]
    probe = deep.place({"kind": "counter", "target": target})

    def told() -> str:
        states = deep.api.probe(probe)["instances"]
        return next((one["reason"] for one in states if one["status"] == status), "")

    wait_for(lambda: words in told(), ARRIVES_S, f"{words}: {deep.api.probe(probe)}")
    works(deep.port)
    assert deep.armed(probe) == set()


SPREAD = [f"lines.py:{3 * (n % FUNCTIONS) + 2}" for n in range(1_000)]


@pytest.mark.parametrize("targets", [[PLACE] * 1_000, SPREAD], ids=["one line", "spread"])
def test_a_thousand_probes(deep, targets) -> None:
    """Armed all; the budget lets some of them see what comes by, the others say why not."""
    probes = [
        {"name": f"p{n}", "kind": "counter", "target": target}
        for n, target in enumerate(targets)
    ]
    status, answer = deep.api.ask("PUT", "/v1/services/deep/sets/many", {"probes": probes})
    assert status == 200, answer
    placed = [part["probe"] for part in answer["parts"]]
    status, answer = deep.api.ask("POST", "/v1/services/deep/probes", log("one more"))
    assert (status, answer["error"]["slug"]) == (409, "too-many-probes")

    def standing() -> list[dict]:
        found = deep.api.get("/v1/probes?service=deep")["probes"]
        return [one for one in found if one["id"] in set(placed)]

    wait_for(
        lambda: {one["instances"][0]["status"] for one in standing()} <= {"armed", "suspended"},
        ARRIVES_S,
        "all armed",
    )
    works(deep.port, *range(20))
    assert said(deep.port, "every", 5) == 5 * FUNCTIONS + FUNCTIONS * (FUNCTIONS - 1) // 2

    def counted() -> bool:
        fates = [one["fates"] for one in standing()]
        assert all(set(fate) <= {"captured", "over_budget"} for fate in fates)
        return any(fate.get("captured") for fate in fates)

    wait_for(counted, ARRIVES_S, "somebody saw something")


ITERATIONS = 10_000_000
LONGEST_HIT_NS = 5_000_000
"""Where the budget is used up by a hit, that hit is still taken to its end."""
IN_LOOP = {
    "log": {"kind": "log", "template": "{number}"},
    "false": {"kind": "log", "template": "{number}", "condition": "number < 0"},
    "snapshot": {"kind": "snapshot"},
    "metric": {"kind": "metric", "expression": "total"},
}


@pytest.fixture(scope="module")
def alone(deep) -> tuple[int, float]:
    """The loop without a probe: its sum, and the seconds that it took."""
    return timed(deep.port, "loop", ITERATIONS)


@pytest.mark.soak
@pytest.mark.parametrize("name", IN_LOOP)
def test_ten_million_iterations(deep, alone, name, record_property) -> None:
    """The loop's sum is right; the probe took of each second what it may and was then off.

    How many passages that is depends on the core and the machine.
    """
    right, seconds_alone = alone
    probe = deep.place({"target": f"deep.py:{LOOP}", **IN_LOOP[name]})
    deep.wait_armed([probe], 1)
    with_probe, seconds = timed(deep.port, "loop", ITERATIONS)
    assert with_probe == right == sum(n & 7 for n in range(8)) * (ITERATIONS // 8)

    def limited() -> bool:
        fates = deep.api.probe(probe)["fates"]
        return sum(fates.values()) > 0

    wait_for(limited, ARRIVES_S)
    found = deep.api.probe(probe)
    assert sum(found["fates"].values()) < ITERATIONS / 2  # not asked for most of them
    windows = seconds + 2  # one has begun before the loop, one ends after it
    assert found["cost_ns"] < windows * BUDGET_NS + LONGEST_HIT_NS
    if name in ("log", "snapshot"):
        assert found["hits"] <= found["limits"]["hits"]
        assert found["fates"].get("rate_limited") or found["fates"].get("over_budget")
    else:
        assert found["fates"]["over_budget"]
    slower = seconds / seconds_alone
    record_property("slower", slower)
    compared = f"{seconds_alone:.2f} s alone, {seconds:.2f} s with the probe"
    print(f"{name}: {compared}: {slower:.2f} times")


@pytest.mark.soak
def test_a_value_of_a_hundred_megabytes(deep) -> None:
    size = 100_000_000
    right = said(deep.port, "large", size)
    bodies = (
        {"kind": "log", "template": "{text} {octets} {table}"},
        {"kind": "snapshot", "watches": ["text", "octets", "table", "len(text)"]},
        {"kind": "metric", "expression": "len(octets)"},
        {"kind": "log", "template": "{text[:3]}", "condition": "text.endswith('éé')"},
    )
    probes = [deep.place({"target": f"deep.py:{LARGE}", **body}) for body in bodies]
    deep.wait_armed(probes, 1)

    def seen() -> bool:
        """Together they may exceed the budget of a second; then the next one is theirs."""
        assert said(deep.port, "large", size) == right
        return all(deep.api.probe(probe)["fates"].get("captured") for probe in probes)

    wait_for(seen, ARRIVES_S, "each has seen it")
    line = deep.wait_hits(probes[0])[0]
    assert len(line["message"]) < 5_000
    assert line["message"].startswith("'ééé")
    assert "12499900 more" in line["message"]
    shot = deep.wait_hits(probes[1])[0]
    assert shot["values"]["len(text)"] == size // 2
    assert len(str(shot)) < 50_000
    wait_for(lambda: deep.api.probe(probes[2])["total"].get("max") == size, ARRIVES_S)
    assert deep.wait_hits(probes[3])[0]["message"] == "ééé"


@pytest.mark.soak
def test_garbage_instead_of_the_server(shore) -> None:
    """Each sort of garbage at the server's own address, then the server again: what was
    captured meanwhile arrives, what is placed then is armed."""
    with serving(shore, "fooled") as watched:
        probe = watched.place({**log("{n}"), "limits": {"hits": 10_000, "rate_per_s": 1_000}})
        watched.wait_armed([probe], 1)
        works(watched.port, 1)
        watched.wait_hits(probe, 1)
        shore.kill()
        sent = 0
        with impostor(shore.port, [*GARBAGE.values(), *GARBAGE.values()]) as connections:
            while connections() < 2 * len(GARBAGE):
                works(watched.port, sent)
                sent += 1
                another(connections)
        shore.up()
        (instance,) = watched.connected(1)
        assert sent > 5
        found = watched.wait_hits(probe, 1 + sent)
        assert sorted(int(hit["message"]) for hit in found) == sorted([1, *range(sent)])
        told = [place.partition(":")[0] for place in instance["faults"]]
        assert set(told) <= {"receiver"}, instance  # what was no JSON is told
        assert instance["dropped"] == {}
        late = watched.place(log("late"))
        watched.wait_armed([late], 1)
        works(watched.port, 5)
        watched.wait_hits(late)


def another(connections: Callable[[], int]) -> None:
    """Wait for one connection more."""
    seen = connections()
    wait_for(lambda: connections() > seen, 2 * ARRIVES_S)


@pytest.mark.soak
def test_a_probe_ends_in_time_while_the_server_drips(tmp_path, home) -> None:
    """Who waits for an answer that never ends would forget what ends by itself."""
    port = free_port()
    probe = {
        "id": "p1", "kind": "log", "target": {"file": "deep.py", "line": WORK},
        "moment": "line", "template": "{n}", "condition": None,
        "limits": {"hits": 1_000, "ttl_s": 3.0, "rate_per_s": 1.0},
        "capture": {"depth": 3, "items": 100, "text": 256}, "owner": "",
        "note": "",
    }  # fmt: skip
    env = {"LEADLINE_URL": f"http://127.0.0.1:{port}", "LEADLINE_KEY": "lla_none"}
    with (
        impostor(port, [ordering(probe)]),
        started(tmp_path, env=env) as (_, service),
    ):
        wait_for(lambda: said(service, "events") == 1, ARRIVES_S)
        works(service, *range(10))
        wait_for(lambda: said(service, "events") == 0, ARRIVES_S)
        works(service, *range(10))


@pytest.mark.soak
def test_another_server_at_the_same_address(leadline, monkeypatch) -> None:
    """One with the same keys and another database is obeyed, though it calls its own probes by
    the same names; the first one then finds everything as it was."""
    with serving(leadline, "moved") as watched:
        probe = watched.place({**log("first {n}"), "limits": {"hits": 1_000}})
        watched.wait_armed([probe], 1)
        leadline.kill()
        with second(leadline, watched, monkeypatch, same_keys=True) as other:
            body = {"kind": "counter", "target": f"deep.py:{LARGE}"}
            placed = [other.place(body) for _ in range(int(probe.removeprefix("p")))]
            assert probe in placed
            other.connected(1)
            other.wait_armed([probe], 1)
            wait_for(lambda: said(watched.port, "events") == 0)
            said(watched.port, "large", 8)
            assert other.wait_captured(probe, 1)["target"] == body["target"]
        leadline.up()
        watched.connected(1)
        watched.wait_armed([probe], 1)
        works(watched.port, 5)
        assert [hit["message"] for hit in watched.wait_hits(probe)] == ["first 5"]
        watched.unharmed()


@pytest.mark.soak
def test_a_server_with_other_keys_is_not_obeyed(leadline, monkeypatch) -> None:
    with serving(leadline, "loyal") as watched:
        probe = watched.place({"kind": "counter", "target": PLACE})
        watched.wait_armed([probe], 1)
        leadline.kill()
        with second(leadline, watched, monkeypatch, same_keys=False) as stranger:
            stranger.place({"kind": "counter", "target": f"deep.py:{LARGE}"})
            until = time.monotonic() + 2 * LONGEST_PAUSE_S  # it has asked by then
            while time.monotonic() < until:
                works(watched.port)
                assert stranger.api.instances("loyal") == []
                time.sleep(0.05)
            assert said(watched.port, "events") == 1
        leadline.up()


@contextmanager
def second(
    first: Leadline, watched: Watched, monkeypatch: pytest.MonkeyPatch, *, same_keys: bool
) -> Iterator[Watched]:
    """Another server at the port of the first, with a database of its own."""
    home = first.cwd / f"{watched.service}-second"
    keys = home / "config" / "leadline" / "keys.json"
    keys.parent.mkdir(parents=True)
    if same_keys:
        shutil.copy2(first.home / keys.relative_to(home), keys)
    with monkeypatch.context() as patch:
        for name in ("CONFIG", "DATA", "STATE"):
            patch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
        made = Leadline(home, first.cwd)
        made.port = first.port
        made.up()
    try:
        yield Watched(made, watched.service, watched.program, watched.port)
    finally:
        made.close()
