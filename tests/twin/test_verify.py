"""A candidate tried on live calls, in twins of the demo's shop: what is fixed, what is only
swallowed, and what the shop notices of it, which is nothing."""

import http.client
import itertools
import json
import re
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leadline import demo, native
from leadline.trial import candidate
from leadline.trial.candidate import Candidate
from leadline.wire.probe import Moment, TwinProbe
from leadline.wire.target import parse_place
from leadline.wire.twin import TwinUse, order_text, sign
from live import LEADLINE, Leadline, Program, free_port
from services.watched import Api
from sites import TWINS, fastapi
from waiting import wait_for

pytestmark = pytest.mark.skipif(native.twin() is None, reason=native.twin_reason())

SHOP = Path(demo.__file__).parent / "service"
PRICING = SHOP / "shop" / "pricing.py"
ENTRY = "shop.pricing:quote"
BASKETS = (
    {"lines": [{"sku": "INK-BLUE", "quantity": 1}], "voucher": None},
    {"lines": [{"sku": "GIFT-25", "quantity": 1}], "voucher": "HARBOUR10"},
)
"""The second one fails: nothing in it is discountable."""
RATE = "    rate = worth / base\n"
OUTSIDE = "/dev/shm/leadline-verify-never"


def changed(old: str, new: str, title: str = "a fix") -> Candidate:
    """Return the shop's pricing with one text for another."""
    text = PRICING.read_text("utf-8")
    assert text.count(old) == 1
    change = candidate.of_texts(str(PRICING), text, text.replace(old, new))
    return candidate.make(title, [change])


class Shop:
    """The shop while it is asked for quotes, some of which fail."""

    def __init__(self, shore: Leadline, service: str, port: int) -> None:
        self.api, self.service, self.port = Api(shore), service, port
        self.statuses: set[tuple[int, int]] = set()
        self.answers: dict[int, Any] = {}
        self.over = threading.Event()

    def drive(self) -> None:
        for number in itertools.count():
            if self.over.is_set():
                return
            which = number % len(BASKETS)
            status, body = self.quote(BASKETS[which])
            self.statuses.add((which, status))
            assert self.answers.setdefault(which, body) == body, "the shop was changed"
            self.over.wait(0.02)

    def quote(self, basket: dict[str, Any]) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("POST", "/quotes", json.dumps({"customer": 1001, **basket}))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def order(
        self, tried: Candidate, said: dict[str, str] | None = None, **more: Any
    ) -> tuple[int, Any]:
        code = json.dumps(candidate.encode(tried) | (said or {}))
        body = {
            "use": "verify", "target": ENTRY, "code": [code], "hits": 2,
            "rate_per_s": 50.0, "ttl_s": 60.0, **more,
        }  # fmt: skip
        return self.api.ask("POST", f"/v1/services/{self.service}/twins", body)

    def verify(
        self, tried: Candidate, count: int = 2, said: dict[str, str] | None = None, **more: Any
    ) -> list[dict[str, Any]]:
        """Try a candidate; returns what became of so many twins."""
        status, answer = self.order(tried, said, hits=count, **more)
        assert status == 201, answer
        probe = answer["probe"]["id"]

        def enough() -> list[dict[str, Any]]:
            hits = self.api.hits(probe)
            return hits if len(hits) >= count else []

        try:
            return [hit["twin"] for hit in wait_for(enough, 20)]
        except AssertionError:
            raise AssertionError({**self.api.probe(probe), "code": 0}) from None


@pytest.fixture(scope="module")
def shop(shore: Leadline) -> Iterator[Shop]:
    port = free_port()
    command = [
        LEADLINE, "run", "--service", "shop", "--", sys.executable, "-m", "shop",
        "--port", str(port), "--database", str(shore.cwd / "shop.sqlite3"),
    ]  # fmt: skip
    with Program(command, SHOP, TWINS).serving(port):
        made = Shop(shore, "shop", port)
        wait_for(lambda: made.api.instances("shop"), 20)
        driver = threading.Thread(target=made.drive)
        driver.start()
        try:
            yield made
            wait_for(lambda: len(made.statuses) == 2, 20, "both baskets were asked for")
        finally:
            made.over.set()
            driver.join(30)
        assert made.statuses == {(0, 200), (1, 500)}
        (instance,) = made.api.instances("shop")
        assert (instance["faults"], instance["dropped"]) == ({}, {})


def runs_of(twin: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["what"]: one for one in twin["tried"]["runs"]}


def test_a_fix_is_seen_beside_two_controls(shop: Shop) -> None:
    fix = changed(RATE, "    rate = worth / base if base else 0.0\n")
    failing = "voucher is not None"
    (twin,) = shop.verify(fix, 1, condition=failing)
    tried, runs = twin["tried"], runs_of(twin)
    assert (twin["end"], twin["reason"]) == ("done", "")
    assert (tried["title"], tried["digest"], tried["obstacle"]) == ("a fix", fix.digest, "")
    assert [one["agrees"] for one in tried["controls"]] == [True, True]
    assert tried["live"].startswith("raised ZeroDivisionError")
    assert tried["candidate"]["agrees"] is False
    assert [runs[name]["returned"] for name in ("live", "control 1", "candidate")] == [
        False, False, True,
    ]  # fmt: skip
    assert runs["control 2"]["same_as"] == "control 1"
    assert "ZeroDivisionError: division by zero" in runs["control 1"]["raised"]
    line = PRICING.read_text("utf-8").splitlines().index(RATE.rstrip()) + 1
    for what in ("control 1", "control 2", "candidate"):
        assert runs[what]["reached"] == [f"{PRICING}:{line}"], what


def test_what_was_stated_is_answered_for_each_run(shop: Shop) -> None:
    fix = changed(RATE, "    rate = worth / base if base else 0.0\n")
    said = {"fails": "raises ZeroDivisionError", "expect": "result['total'] > 0"}
    (failing,) = shop.verify(fix, 1, said, condition="voucher is not None")
    assert (failing["tried"]["fails"], failing["tried"]["expect"]) == (True, True)
    runs = runs_of(failing)
    assert [runs[name]["fails"] for name in ("control 2", "candidate")] == [True, False]
    (other,) = shop.verify(fix, 1, said, condition="voucher is None")
    assert (other["tried"]["fails"], other["tried"]["expect"]) == (False, True)
    status, answer = shop.order(fix, {"fails": "raises ("})
    assert (status, answer["error"]["slug"]) == (400, "expression-syntax")


def test_what_is_not_reached_is_the_same_and_says_so(shop: Shop) -> None:
    fix = changed(RATE, "    rate = worth / base if base else 0.0\n")
    for twin in shop.verify(fix, 2, condition="voucher is None"):
        tried, runs = twin["tried"], runs_of(twin)
        assert [one["agrees"] for one in (*tried["controls"], tried["candidate"])] == [True] * 3
        assert runs["control 2"]["same_as"] == runs["candidate"]["same_as"] == "control 1"
        assert [runs[name]["reached"] for name in ("control 1", "candidate")] == [[], []]


def test_large_outcomes_arrive_as_far_as_there_is_room(shop: Shop) -> None:
    large = changed(
        '    return {\n        "currency": "EUR",',
        '    return {\n        "large": ["x" * 1_000 + str(n) for n in range(110)],\n'
        '        "currency": "EUR",',
    )
    (twin,) = shop.verify(large, 1, condition="voucher is None")
    ran = runs_of(twin)["candidate"]
    assert (twin["end"], twin["lost"], ran["omitted"]) == ("done", 0, 0)
    assert len(json.dumps(ran["value"])) > 100_000
    assert [one["agrees"] for one in twin["tried"]["controls"]] == [True, True]


def test_a_swallowed_failure_is_another_outcome(shop: Shop) -> None:
    swallowing = changed(
        "        discounts = spread_voucher(voucher, lines)\n",
        "        try:\n            discounts = spread_voucher(voucher, lines)\n"
        "        except ZeroDivisionError:\n            return None\n",
    )
    (twin,) = shop.verify(swallowing, 1, condition="voucher is not None")
    candidate_ran = runs_of(twin)["candidate"]
    assert (candidate_ran["returned"], candidate_ran["value"]) == (True, None)
    (inside,) = candidate_ran["inside"]
    assert inside["kind"] == "ZeroDivisionError"
    assert inside["at"].startswith("shop/pricing.py:")
    assert inside["handled"].startswith("shop/pricing.py:")
    assert twin["tried"]["candidate"]["differences"][0]["where"] == "outcome"


def test_nothing_gets_out_and_each_run_begins_anew(shop: Shop) -> None:
    Path(OUTSIDE).unlink(missing_ok=True)
    harmful = changed(
        "    subtotal = sum(line.amount for line in lines)\n    discounts",
        "    lines.append(lines[0])\n"
        "    subtotal = sum(line.amount for line in lines)\n"
        f"    open({OUTSIDE!r}, 'w')\n    discounts",
    )
    (twin,) = shop.verify(harmful, 1, condition="voucher is None")
    runs = runs_of(twin)
    assert "PermissionError" in runs["candidate"]["raised"]
    assert [one["what"] for one in runs["candidate"]["refused"]] == ["openat"]
    assert runs["control 1"]["refused"] == runs["control 2"]["refused"] == []
    assert runs["control 2"]["same_as"] == "control 1"
    assert not Path(OUTSIDE).exists()


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("    import os; os.kill(os.getpid(), 9)\n", "killed"),
        ("    while True: pass\n", "still at shop/pricing.py:41 quote|life of|time was over"),
    ],
)
def test_a_candidate_that_comes_to_no_end_proves_nothing(shop, statement, why) -> None:
    ends = changed("    subtotal = sum(line", statement + "    subtotal = sum(line")
    (twin,) = shop.verify(ends, 1, condition="voucher is None", life_s=6.0)
    tried, runs = twin["tried"], runs_of(twin)
    assert [one["agrees"] for one in tried["controls"]] == [True, True]
    assert tried["candidate"]["agrees"] is None
    assert re.search(why, tried["candidate"]["reason"])
    assert runs["candidate"]["returned"] is None


def test_what_cannot_be_put_in_is_said(shop: Shop) -> None:
    effect = changed("SHIPPING_VAT = 19\n", "SHIPPING_VAT = 19\nprint('imported')\n")
    status, answer = shop.order(effect, hits=5)
    assert status == 201
    probe = answer["probe"]["id"]

    def given_up() -> bool:
        (instance,) = shop.api.probe(probe)["instances"]
        return "no twin: The candidate cannot be put into the running" in instance["unknown"]

    wait_for(given_up, 20)
    (hit,) = shop.api.hits(probe)
    twin = hit["twin"]
    assert twin["tried"]["candidate"] is None
    assert "cannot be put into the running code" in twin["tried"]["obstacle"]
    assert [one["agrees"] for one in twin["tried"]["controls"]] == [True, True]


@pytest.mark.parametrize("said", ["{}", "not json", '{"title": 1, "digest": 2}'])
def test_what_is_no_candidate_is_not_ordered(shop: Shop, said: str) -> None:
    body = {"use": "verify", "target": ENTRY, "code": [said]}
    status, answer = shop.api.ask("POST", f"/v1/services/{shop.service}/twins", body)
    assert (status, answer["error"]["slug"]) == (400, "bad-twin"), answer


def test_a_candidate_is_bound_by_its_digest(shop: Shop) -> None:
    one = candidate.encode(changed(RATE, "    rate = 0.0\n"))
    one["changes"][0]["new"] += "# more\n"
    body = {"use": "verify", "target": ENTRY, "code": [json.dumps(one)]}
    status, answer = shop.api.ask("POST", f"/v1/services/{shop.service}/twins", body)
    assert (status, answer["error"]["slug"]) == (400, "bad-twin"), answer


@pytest.mark.soak
def test_a_coroutine_and_an_order_that_is_signed(shore: Leadline) -> None:
    key = "the service's own"
    with fastapi(shore, LEADLINE_TWIN_KEY=key) as site:
        text = (site.folder / "front.py").read_text("utf-8")
        new = text.replace('"share": 1 / (number % 5 + 1)', '"share": 0.5')
        change = candidate.of_texts(str(site.folder / "front.py"), text, new)
        code = json.dumps(candidate.encode(candidate.make("half", [change])))
        api = Api(shore)
        probe = TwinProbe(
            "", parse_place("front:order"), TwinUse.VERIFY, (code,), nonce="n1",
            signed_until=time.time() + 300, moment=Moment.ENTRY,
        )  # fmt: skip
        body = {
            "use": "verify", "target": "front:order", "code": [code], "hits": 1, "life_s": 10.0,
            "nonce": "n1", "signed_until": probe.signed_until,
        }  # fmt: skip
        status, answer = api.ask("POST", "/v1/services/fastapi/twins", body)
        assert status == 201, answer
        unsigned = answer["probe"]["id"]

        def refused() -> list[str]:
            states = api.probe(unsigned)["instances"]
            return [one["reason"] for one in states if one["status"] == "error"]

        assert "only code that was signed" in wait_for(refused, 20)[0]
        body["signature"] = sign(key, order_text("fastapi", probe))
        status, answer = api.ask("POST", "/v1/services/fastapi/twins", body)
        assert status == 201, answer

        def answered() -> list[dict[str, Any]]:
            site.drive(3)
            return api.hits(answer["probe"]["id"])

        (hit,) = wait_for(answered, 30)
    tried = hit["twin"]["tried"]
    assert [one["agrees"] for one in tried["controls"]] == [True, True], hit["twin"]
    assert [one["where"] for one in tried["candidate"]["differences"]] == ["result['share']"]
    assert all(one["reached"] for one in tried["runs"][1:])
