"""A call that is run again in a twin comes to what really happened, on services of every kind.

Each is a real service under real requests; 200 of each are compared in `make soak`.
"""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sites import SITES, Site, httpbin

from live import Leadline

CALLS = 20
LONG = 200


def rerun(shore: Leadline, site: Site, count: int, *options: str) -> dict[str, Any]:
    """Run `count` calls again while the service is driven; returns what the command says."""
    over = threading.Event()
    failed: list[BaseException] = []

    def drive() -> None:
        number = 0
        while not over.is_set():
            number += 1
            try:
                site.drive(number)
            except Exception as error:  # noqa: BLE001 - told below
                failed.append(error)
                return
            over.wait(0.01)

    driver = threading.Thread(target=drive)
    driver.start()
    try:
        answer = shore.json(
            "rerun", site.service, site.target, "-n", str(count), "--rate", "50", *options,
            status=None,
        )  # fmt: skip
    finally:
        over.set()
        driver.join(60)
    assert not failed, failed
    return dict(answer)


@pytest.mark.parametrize("name", SITES)
def test_the_control_agrees(name: str, shore: Leadline) -> None:
    with SITES[name](shore) as site:
        check(rerun(shore, site, CALLS), CALLS)


@pytest.mark.soak
@pytest.mark.parametrize("name", SITES)
def test_two_hundred_calls_agree(name: str, shore: Leadline) -> None:
    with SITES[name](shore) as site:
        check(rerun(shore, site, LONG), LONG)


def check(answer: dict[str, Any], count: int) -> None:
    """At least 95 of a hundred agree, and what differs is explained."""
    calls = [hit["twin"]["agreement"] for hit in answer["hits"]]
    assert len(calls) == count, answer
    agreeing = [one for one in calls if one["agrees"]]
    explained = [one for one in calls if one["agrees"] is False and one["reason"]]
    rest = [one for one in calls if one not in agreeing and one not in explained]
    assert not rest, rest[0]
    assert len(agreeing) + len(explained) == count
    assert len(agreeing) >= 0.95 * (count - len(explained)), explained[:2]


@pytest.fixture
def bin_site(shore: Leadline) -> Iterator[Site]:
    with httpbin(shore) as site:
        yield site


def test_gevent_works_where_nothing_switches_and_is_refused_where_it_does(
    bin_site: Site, shore: Leadline
) -> None:
    answer = rerun(shore, bin_site, CALLS)
    calls = [hit["twin"]["agreement"] for hit in answer["hits"]]
    assert any(one["agrees"] for one in calls), calls[0]
    assert [one for one in calls if not one["agrees"] and not one["reason"]] == []
