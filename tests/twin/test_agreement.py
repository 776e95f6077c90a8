"""A call that is run again in a twin comes to what really happened, on services of every kind.

Each is a real service under real requests; 200 of each are compared in `make soak`.
"""

import contextlib
import json
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from live import LEADLINE, Leadline
from sites import SITES, Site, httpbin
from surroundings import children
from waiting import wait_for

CALLS = 20
LONG = 200


@contextlib.contextmanager
def driven(site: Site) -> Iterator[None]:
    """Have the service called, again and again; no call may fail."""
    over = threading.Event()
    failed: list[BaseException] = []

    def drive() -> None:
        number = 0
        while not over.is_set():
            number += 1
            try:
                site.drive(number)
            except Exception as error:
                failed.append(error)
                return
            over.wait(0.03)

    driver = threading.Thread(target=drive)
    driver.start()
    try:
        yield
    finally:
        over.set()
        driver.join(60)
    assert not failed, failed


def rerun(shore: Leadline, site: Site, count: int) -> list[dict[str, Any]]:
    """Run `count` calls again while the service is driven; returns what was said of each."""
    command = ["rerun", site.service, site.target, "-n", str(count), "--rate", "50"]
    with driven(site):
        done = subprocess.run(
            [LEADLINE, *command, "--wait", "150s", "--json"],
            capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip
    said = [json.loads(line) for line in done.stdout.splitlines()]
    calls = [one["hit"]["twin"]["agreement"] for one in said if "hit" in one]
    assert len(calls) == count, (done.stdout[-3_000:], done.stderr, shore.cli("probes"))
    return calls


@pytest.mark.soak
@pytest.mark.parametrize("name", sorted(SITES.keys() - {"wagtail"}))
def test_the_control_agrees(name: str, shore: Leadline) -> None:
    with SITES[name](shore) as site:
        check(rerun(shore, site, CALLS))


@pytest.fixture(scope="module")
def pages(shore: Leadline) -> Iterator[Site]:
    """It takes the longest to start."""
    with SITES["wagtail"](shore) as site:
        yield site


@pytest.mark.soak
def test_the_control_agrees_with_pages_from_a_database(pages: Site, shore: Leadline) -> None:
    check(rerun(shore, pages, CALLS))


@pytest.mark.soak
def test_a_database_is_read_through_its_models_and_not_written(
    pages: Site, shore: Leadline
) -> None:
    asked = [
        "request.user.is_authenticated",
        "from wagtail.models import Page; Page.objects.live().count()",
        "Page.objects.filter(title='First').delete()",
        "Page.objects.filter(title='First').exists()",
    ]
    with driven(pages):
        done = subprocess.run(
            [LEADLINE, "ask", pages.service, pages.target, *asked, "--json"],
            cwd=shore.cwd, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    said = json.loads(done.stdout)["hit"]["twin"]["said"]
    assert [one["value"] for one in said] == [False, 6, None, True], done.stderr
    assert "attempt to write a readonly database" in said[2]["raised"]


@pytest.mark.soak
@pytest.mark.parametrize("name", SITES)
def test_two_hundred_calls_agree_and_leave_nothing(name: str, shore: Leadline) -> None:
    with SITES[name](shore) as site:
        rerun(shore, site, 5)
        before = held(shore, site)
        born = {pid: children(pid) for pid in before}
        check(rerun(shore, site, LONG))
        wait_for(lambda: born == {pid: children(pid) for pid in before}, 5, "all are reaped")
        after = held(shore, site)
        assert after.keys() == before.keys(), "a process has ended"
        for pid, (files, kilobytes) in before.items():
            assert after[pid][0] - files <= 5
            assert after[pid][1] - kilobytes < 20_000


def held(shore: Leadline, site: Site) -> dict[int, tuple[int, int]]:
    """Return the open descriptors, and the resident kilobytes, of each process."""
    found = {}
    for one in shore.connected(site.service):
        folder = Path(f"/proc/{one['info']['pid']}")
        pages = int((folder / "statm").read_text("ascii").split()[1])
        found[int(folder.name)] = (len(list((folder / "fd").iterdir())), 4 * pages)
    return found


def check(calls: list[dict[str, Any]]) -> None:
    """At least 95 of a hundred agree, and what differs is explained."""
    agreeing = [one for one in calls if one["agrees"]]
    explained = [one for one in calls if one["agrees"] is False and one["reason"]]
    assert [one for one in calls if one not in agreeing and one not in explained] == []
    assert len(agreeing) >= 0.95 * (len(calls) - len(explained))


@pytest.fixture
def bin_site(shore: Leadline) -> Iterator[Site]:
    with httpbin(shore) as site:
        yield site


@pytest.mark.soak
def test_gevent_works_where_nothing_switches_and_is_refused_where_it_does(
    bin_site: Site, shore: Leadline
) -> None:
    calls = rerun(shore, bin_site, CALLS)
    assert any(one["agrees"] for one in calls), calls[0]
    assert [one for one in calls if not one["agrees"] and not one["reason"]] == []
    switches = replace(bin_site, target="httpbin.core:delay_response")
    for one in rerun(shore, switches, 2):
        assert one["agrees"] is None
        assert (
            one["reason"]
            == "it hands over to another greenlet, and those stand still in a twin"
        )
