"""Customers for the demo shop: `python -m leadline.demo.traffic --url URL`.

A probe shows something only while code runs, so the demo needs people who browse, ask for
prices and order. Visits are dealt from a shuffled deck and not drawn one by one: whoever
watches then meets each kind of visit, the unlucky ones included, within seconds.
"""

import argparse
import http.client
import itertools
import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

CUSTOMERS = range(1_001, 1_041)
STATIONERY = (
    "NB-A5-DOT", "NB-A5-LIN", "NB-A4-SQU", "NB-POCKET", "PEN-FOUNT", "PEN-ROLL", "PEN-BRUSH",
    "PENCIL-HB", "INK-BLUE", "INK-SEPIA", "CARD-BDAY", "CARD-XMAS", "WRAP-KRAFT",
)  # fmt: skip
BOOKS = ("BOOK-CALLI", "BOOK-FOLD", "BOOK-TYPE")
GIFT_CARDS = ("GIFT-25", "GIFT-50", "GIFT-100")
OFFICE = ("ENV-C5", "ENV-DL", "FOLDER-A4", "LABEL-A4")
VOUCHERS = ("WELCOME5", "HARBOUR10", "PAPER15", "THANKYOU")
SEARCHES = ("notebook", "pen", "ink", "card", "paper", "envelope", "book")
CATEGORIES = ("notebooks", "pens", "ink", "cards", "books", "gift cards", "office")

TIMEOUT = 10.0  # seconds: longer than any pause that a probe or a twin may cause
RETRY = 0.5  # seconds between attempts to reach a shop that is away
MOST_LATE = 1.0  # seconds of delay that are made up for; what is later is let go

Json = dict[str, Any]
Lines = dict[str, int]


@dataclass(frozen=True)
class Ask:
    """One request of a visit."""

    method: str
    path: str
    body: Json | None = None


@dataclass(frozen=True)
class Answer:
    """What came back; `body` is empty unless the shop sent a JSON object."""

    status: int
    body: Json


# A visit asks, finds the answer in its shopper's `last`, and asks on until it has had enough.
type Visit = Iterator[Ask]


def get(path: str, **query: object) -> Ask:
    return Ask("GET", f"{path}?{urlencode(query)}" if query else path)


class Shopper:
    """One customer on one visit; `last` is what the shop answered last."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._customer = chance.choice(CUSTOMERS)
        self.last = Answer(0, {})

    def look_around(self) -> Visit:
        if self._chance.random() < 0.5:
            yield get("/products", search=self._chance.choice(SEARCHES))
        else:
            yield get("/products", category=self._chance.choice(CATEGORIES))
        for _ in range(self._chance.randint(1, 2)):
            yield get(f"/products/{self._chance.choice(STATIONERY + BOOKS)}")

    def compare(self) -> Visit:
        """Asks what it would cost, puts one thing more in the basket and asks again."""
        lines = self._basket(gift_cards=0.1)
        voucher = self._voucher(0.5)
        yield get(f"/products/{next(iter(lines))}")
        yield self._quote(lines, voucher)
        lines[self._chance.choice(STATIONERY)] = 1
        yield self._quote(lines, voucher)

    def buy(self) -> Visit:
        lines = self._basket(gift_cards=0.1)
        voucher = self._voucher(0.5)
        yield get(f"/products/{next(iter(lines))}")
        yield self._quote(lines, voucher)
        yield from self._order(lines, voucher)

    def stock_up_the_office(self) -> Visit:
        """An office: little variety, large quantities."""
        sku = self._chance.choice(OFFICE)
        quantity = self._chance.choice((100, 120, 150, 200, 250))
        yield get(f"/products/{sku}", quantity=quantity)
        yield self._quote({sku: quantity}, None)
        if self._chance.random() < 0.6:
            yield from self._order({sku: quantity}, None)

    def give_away(self) -> Visit:
        """Gift cards, sometimes with a book, and a voucher that is still lying around."""
        lines = {self._chance.choice(GIFT_CARDS): self._chance.randint(1, 2)}
        if self._chance.random() < 0.3:
            lines[self._chance.choice(BOOKS)] = 1
        voucher = self._chance.choice(("WELCOME5", "HARBOUR10", "PAPER15"))
        yield self._quote(lines, voucher)
        if self._chance.random() < 0.3:
            yield self._quote(lines, voucher)

    def look_back(self) -> Visit:
        yield get(f"/customers/{self._customer}/orders")
        past = self.last.body.get("orders")
        if isinstance(past, list) and past:
            number = self._chance.choice(past)["number"]
            yield get(f"/orders/{number}")
            yield get(f"/orders/{number}/invoice")

    def slip(self) -> Visit:
        """Mistakes that a shop must be able to answer."""
        basket = {"customer": self._customer, "lines": [{"sku": "INK-BLUE", "quantity": 1}]}
        yield self._chance.choice(
            (
                get("/products/NB-A6-DOT"),
                get(f"/orders/{self._chance.randint(10**7, 10**8)}"),
                Ask("POST", "/quotes", basket | {"voucher": "SUMMER23"}),
                Ask("POST", "/quotes", basket | {"lines": []}),
                Ask("POST", "/orders", basket),
            )
        )

    def check(self) -> Visit:
        """Not a customer: the load balancer."""
        yield get("/health")

    def _basket(self, gift_cards: float) -> Lines:
        """One to four things, at least one of them stationery."""
        lines = {}
        for sku in self._chance.sample(STATIONERY, self._chance.randint(1, 3)):
            lines[sku] = self._chance.choice((1, 1, 1, 2, 3))
        if self._chance.random() < 0.2:
            lines[self._chance.choice(BOOKS)] = 1
        if self._chance.random() < gift_cards:
            lines[self._chance.choice(GIFT_CARDS)] = 1
        if self._chance.random() < 0.1:
            lines["SAMPLE-PAPER"] = 1
        return lines

    def _voucher(self, probability: float) -> str | None:
        return self._chance.choice(VOUCHERS) if self._chance.random() < probability else None

    def _body(self, lines: Lines, voucher: str | None) -> Json:
        return {
            "customer": self._customer,
            "lines": [{"sku": sku, "quantity": count} for sku, count in lines.items()],
            "voucher": voucher,
        }

    def _quote(self, lines: Lines, voucher: str | None) -> Ask:
        return Ask("POST", "/quotes", self._body(lines, voucher))

    def _order(self, lines: Lines, voucher: str | None) -> Visit:
        token = f"tok_{self._chance.getrandbits(64):016x}"
        yield Ask("POST", "/orders", self._body(lines, voucher) | {"payment_token": token})
        number = self.last.body.get("number")
        if self.last.status == 201 and isinstance(number, int):
            yield get(f"/orders/{number}")
            if self._chance.random() < 0.5:
                yield get(f"/orders/{number}/invoice")


# The deck of visits: about 45 requests, a little over 5 seconds at 8 requests a second.
DECK = (
    *(Shopper.look_around,) * 4,
    *(Shopper.compare,) * 3,
    *(Shopper.buy,) * 3,
    Shopper.stock_up_the_office,
    Shopper.give_away,
    Shopper.look_back,
    Shopper.slip,
    Shopper.check,
)


class Shop:
    """The shop as its customers reach it: one connection, kept open, made anew if lost."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname is None:
            raise ValueError(f"not an address that starts with http://: {url}")
        self._connection = http.client.HTTPConnection(
            parts.hostname, parts.port or 80, timeout=TIMEOUT
        )
        self._url = url
        self._away = False

    def answer(self, ask: Ask) -> Answer:
        """Send one request; while the shop is away, wait for it to come back.

        A request that got lost is not repeated: it may have been an order.
        """
        body = None if ask.body is None else json.dumps(ask.body).encode()
        headers = {} if body is None else {"content-type": "application/json"}
        while True:
            try:
                self._connection.request(ask.method, ask.path, body, headers)
                response = self._connection.getresponse()
                content = response.read()
            except (OSError, http.client.HTTPException) as problem:
                self._connection.close()
                self._report(problem)
                time.sleep(RETRY)
                if not isinstance(problem, ConnectionRefusedError):
                    return Answer(0, {})
            else:
                self._away = False
                if response.status >= 500:
                    self._connection.close()  # uvicorn hangs up after an error, unannounced
                return Answer(response.status, _object(content))

    def close(self) -> None:
        self._connection.close()

    def _report(self, problem: Exception) -> None:
        """Once for each time the shop goes away, not for each attempt."""
        if not self._away:
            reason = str(problem) or type(problem).__name__
            print(f"traffic: {self._url} does not answer ({reason})", file=sys.stderr)
        self._away = True


def _object(content: bytes) -> Json:
    try:
        body = json.loads(content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


class Pace:
    """Spaces requests evenly; a rate of 0 means as fast as the shop answers."""

    def __init__(self, rate: float) -> None:
        self._interval = 1 / rate if rate > 0 else 0.0
        self._due = time.monotonic()

    def wait(self) -> None:
        now = time.monotonic()
        if self._due > now:
            time.sleep(self._due - now)
        self._due = max(self._due, now - MOST_LATE) + self._interval


def visits(seed: int) -> Iterator[tuple[Shopper, Visit]]:
    """Endless visits; the same seed and the same answers give the same visits."""
    chance = random.Random(seed)  # noqa: S311 - repeatable customers, no secret
    while True:
        for kind in chance.sample(DECK, len(DECK)):
            shopper = Shopper(chance)
            yield shopper, kind(shopper)


def drive(shop: Shop, pace: Pace, seed: int, requests: int | None) -> None:
    """Send `requests` requests at that pace; endlessly if None."""
    sent = itertools.count(1)
    for shopper, visit in visits(seed):
        for ask in visit:
            pace.wait()
            shopper.last = shop.answer(ask)
            if next(sent) == requests:
                return


def leave(_number: int, _frame: object) -> NoReturn:
    """End at once: nothing is under way that a customer would have to finish."""
    os._exit(0)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m leadline.demo.traffic", description="Customers for the demo shop."
    )
    parser.add_argument("--url", required=True, help="where the shop listens")
    parser.add_argument("--rate", type=float, default=8.0, help="requests a second; 0: all")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--requests", type=int, help="leave after so many")
    options = parser.parse_args(arguments)

    # Also where SIGINT came in as ignored, as it does in a shell's background job.
    signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, leave)
    try:
        shop = Shop(options.url)
    except ValueError as problem:
        parser.error(str(problem))
    with closing(shop):
        drive(shop, Pace(options.rate), options.seed, options.requests)
    return 0


if __name__ == "__main__":
    sys.exit(main())
