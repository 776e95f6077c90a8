"""The demo shop is a real service with two planted bugs; this notices when one gets lost."""

import http.client
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from leadline.demo import traffic
from leadline.demo.traffic import Ask, Shop

pytestmark = pytest.mark.soak

SERVICE = Path(traffic.__file__).parent / "service"
SOURCE = Path(traffic.__file__).parents[2]
DEADLINE = 20.0  # seconds that a process may take to start or to end

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONWARNINGS": "error"}

# Starts a command as a shell's background job is started: with SIGINT ignored.
IGNORING_SIGINT = ("/bin/sh", "-c", "trap '' INT; exec \"$@\"", "sh")


class RunningShop:
    """The shop as a process of its own; what it logs goes to a file."""

    def __init__(self, folder: Path, port: int = 0, ignore_sigint: bool = False) -> None:
        self._log = folder / "shop.log"
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(IGNORING_SIGINT if ignore_sigint else ()),
                    *(sys.executable, "-m", "shop", "--port", str(port)),
                    *("--database", str(folder / "shop.sqlite3")),
                ],
                cwd=SERVICE,
                env=ENVIRONMENT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], DEADLINE)
        line = self.process.stdout.readline() if ready else ""
        found = re.fullmatch(r"shop listening on (http://127\.0\.0\.1:(\d+))\n", line)
        if found is None:
            self.process.kill()
            pytest.fail(f"the shop printed {line!r} and logged: {self.log()}")
        self.url, self.port = found[1], int(found[2])

    def log(self) -> str:
        return self._log.read_text()

    def end(self, number: int = signal.SIGTERM) -> int:
        return end(self.process, number)


def end(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> int:
    """Signal a process, wait for its end, close its pipes; returns its exit code."""
    try:
        process.send_signal(number)
        return process.wait(DEADLINE)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningShop]:
    shop = RunningShop(tmp_path_factory.mktemp("shop"))
    yield shop
    shop.end()


@pytest.fixture
def shop(running: RunningShop) -> Iterator[Shop]:
    shop = Shop(running.url)
    yield shop
    shop.close()


def quote(shop: Shop, lines: dict[str, int], voucher: str | None = None) -> traffic.Answer:
    return shop.answer(Ask("POST", "/quotes", basket(lines, voucher)))


def basket(lines: dict[str, int], voucher: str | None = None) -> dict[str, Any]:
    return {
        "customer": 1001,
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines.items()],
        "voucher": voucher,
    }


def test_the_shops_own_tests_pass_and_miss_both_bugs() -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=SERVICE,
        env={**ENVIRONMENT, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    passed = re.search(r"(\d+) passed", outcome.stdout)
    assert passed is not None
    assert int(passed[1]) >= 25


def test_traffic_is_answered_and_some_quotes_fail(running: RunningShop, shop: Shop) -> None:
    statuses: Counter[int] = Counter()
    failing: list[int] = []
    wrong = 0
    total = 1_000
    asks = ((shopper, ask) for shopper, visit in traffic.visits(7) for ask in visit)
    for number, (shopper, ask) in enumerate(islice(asks, total)):
        shopper.last = shop.answer(ask)
        statuses[shopper.last.status] += 1
        if shopper.last.status == 500:
            failing.append(number)
            assert ask.path in {"/quotes", "/orders"}
        lines = shopper.last.body.get("lines", [shopper.last.body])
        if any(line.get("sku") == "FOLDER-A4" and line["unit_price"] == 78 for line in lines):
            wrong += 1

    assert set(statuses) == {200, 201, 404, 422, 500}
    assert statuses[200] > 0.75 * total
    assert 0.02 * total < statuses[500] < 0.05 * total
    gaps = [later - earlier for earlier, later in zip([0, *failing], failing, strict=False)]
    assert max(gaps) <= 100, "a visitor of the demo would wait too long for the next failure"
    assert wrong > 0
    tracebacks = running.log().count("Traceback (most recent call last)")
    assert tracebacks == running.log().count("\nZeroDivisionError: ") >= statuses[500]


def test_bug_1_a_voucher_on_nothing_but_excluded_goods(shop: Shop) -> None:
    alone = quote(shop, {"GIFT-25": 1})
    assert (alone.status, alone.body["total"]) == (200, 2_690)
    assert quote(shop, {"GIFT-25": 1}, "HARBOUR10").status == 500
    assert quote(shop, {"BOOK-FOLD": 1}, "PAPER15").status == 500
    # One discountable thing in the basket, and the same voucher works.
    mixed = quote(shop, {"BOOK-FOLD": 1, "INK-BLUE": 1}, "HARBOUR10")
    assert (mixed.status, mixed.body["discount"]) == (200, 1_000)


def test_bug_2_large_quantities_get_the_discount_of_a_smaller_step(shop: Shop) -> None:
    """Folders: 8 % off from 50 pieces, 15 % off from 100, and nobody gets the 15 %."""
    right, wrong = 72, 78
    assert quote(shop, {"FOLDER-A4": 60}).body["lines"][0]["unit_price"] == wrong
    many = quote(shop, {"FOLDER-A4": 120})
    assert many.status == 200
    assert many.body["subtotal"] == 120 * wrong != 120 * right


def test_an_order_can_be_followed_to_its_invoice(shop: Shop) -> None:
    body = basket({"NB-A5-DOT": 2, "BOOK-FOLD": 1}, "HARBOUR10")
    placed = shop.answer(Ask("POST", "/orders", body | {"payment_token": "tok_1"}))
    assert placed.status == 201
    number = placed.body["number"]
    assert shop.answer(Ask("GET", f"/orders/{number}")).body["total"] == placed.body["total"]
    invoice = shop.answer(Ask("GET", f"/orders/{number}/invoice")).body
    assert sum(rate["gross"] for rate in invoice["rates"]) == placed.body["total"]
    history = shop.answer(Ask("GET", "/customers/1001/orders")).body["orders"]
    assert history[0]["number"] == number


def test_bad_requests_are_answered_as_such(running: RunningShop, shop: Shop) -> None:
    def status(method: str, path: str, body: dict[str, Any] | None = None) -> int:
        return shop.answer(Ask(method, path, body)).status

    assert status("GET", "/products/NONE") == 404
    assert status("GET", "/nowhere") == 404
    assert status("GET", "/orders/99999999") == 404
    assert status("DELETE", "/orders") == 405
    assert status("GET", "/products?limit=many") == 422
    assert status("POST", "/quotes", basket({"NONE": 1})) == 404
    assert status("POST", "/quotes", basket({})) == 422
    assert status("POST", "/quotes", basket({"INK-BLUE": 1}, "SUMMER23")) == 422
    assert status("POST", "/orders", basket({"INK-BLUE": 1})) == 422
    token = {"payment_token": "tok_1"}
    assert status("POST", "/orders", basket({"PEN-FOUNT": 1_000}) | token) == 409

    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=DEADLINE)
    try:
        connection.request("POST", "/quotes", b"{", {"content-type": "application/json"})
        response = connection.getresponse()
        assert response.status == 422
        assert json.load(response) == {"error": "the body is not JSON"}
    finally:
        connection.close()


def traffic_process(*arguments: str, ignore_sigint: bool = False) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(IGNORING_SIGINT if ignore_sigint else ()),
            *(sys.executable, "-m", "leadline.demo.traffic", *arguments),
        ],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_traffic_leaves_after_so_many_requests_and_prints_nothing(
    running: RunningShop,
) -> None:
    process = traffic_process("--url", running.url, "--rate", "0", "--requests", "80")
    output, problems = process.communicate(timeout=DEADLINE)
    assert (process.returncode, output, problems) == (0, "", "")


def test_traffic_needs_an_address() -> None:
    process = traffic_process("--url", "ftp://127.0.0.1/")
    _, problems = process.communicate(timeout=DEADLINE)
    assert process.returncode == 2
    assert "not an address that starts with http://" in problems


def test_traffic_goes_on_after_the_shop_restarts(tmp_path: Path) -> None:
    def orders() -> int:
        shop = Shop(first.url)
        try:
            answers = [
                shop.answer(Ask("GET", f"/customers/{customer}/orders?limit=100"))
                for customer in traffic.CUSTOMERS
            ]
        finally:
            shop.close()
        return sum(len(answer.body["orders"]) for answer in answers)

    first = RunningShop(tmp_path)
    process = traffic_process("--url", first.url, "--rate", "100")
    try:
        before = orders()
        until(lambda: orders() > before)
        assert first.end() == 0
        second = RunningShop(tmp_path, port=first.port)
        try:
            before = orders()
            until(lambda: orders() > before)
        finally:
            second.end()
        process.send_signal(signal.SIGTERM)
        output, problems = process.communicate(timeout=DEADLINE)
    finally:
        end(process)
    assert (process.returncode, output) == (0, "")
    assert problems.count("does not answer") in {1, 2}  # the second end may be noticed too


@pytest.mark.parametrize("ignore_sigint", [False, True])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_shop_and_traffic_end_cleanly_on_a_signal(
    tmp_path: Path, number: int, ignore_sigint: bool
) -> None:
    shop = RunningShop(tmp_path, ignore_sigint=ignore_sigint)
    process = traffic_process("--url", shop.url, "--rate", "50", ignore_sigint=ignore_sigint)
    try:
        until(lambda: bool(caught_signals(process.pid) >> (signal.SIGTERM - 1) & 1))
        process.send_signal(number)
        output, problems = process.communicate(timeout=DEADLINE)
    finally:
        end(process)
        code = shop.end(number)
    assert (process.returncode, output, problems) == (0, "", "")
    assert code == 0
    assert shop.log().count("Traceback") == shop.log().count("\nZeroDivisionError: ")
    assert "Finished server process" in shop.log()


def caught_signals(process_id: int) -> int:
    """The signals that a process handles itself, one bit each, from Linux."""
    status = Path(f"/proc/{process_id}/status").read_text()
    found = re.search(r"^SigCgt:\s*([0-9a-f]+)$", status, re.MULTILINE)
    assert found is not None
    return int(found[1], 16)
