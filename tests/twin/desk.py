"""A desk whose calls are captured, and whose twin tries candidates on them."""

import functools
import sys
import threading
import time

import tariff

PIECES = {"piece": tariff.PIECE}
SEEN = {"calls": 0}
RATES = {}


@functools.lru_cache
def fee(name):
    return tariff.added(name)


def rate(name):
    if name not in RATES:
        RATES[name] = len(RATES) + 1
    return RATES[name] + fee(name)


class Desk:
    def __init__(self):
        self.lock = threading.Lock()
        self.file = open(__file__)
        self.token = "t-5512-9981"
        self.closed = (one for one in ())

    @functools.cached_property
    def width(self):
        return tariff.width()

    def price(self, amount, parts):
        SEEN["calls"] += 1
        self.file.seek(0)
        first = self.file.read(self.width)
        return {"each": amount * rate("piece") // parts, "first": first}


def squares(count):
    return (number * number for number in range(count))


def told():
    total = 0
    while True:
        more = yield total * 1
        total += more or 0


def main():
    for _ in range(5):
        rate(f"rate {_}")
    rate("piece")
    assert rate("piece") == PIECES["piece"]
    desk = Desk()
    number = 0
    while True:
        number += 1
        try:
            desk.price(100 + number % 7, number % 3)
        except ZeroDivisionError:
            pass
        sum(squares(number % 5))
        asked = told()
        next(asked)
        asked.send(number % 4)
        asked.close()
        time.sleep(float(sys.argv[1]))


if __name__ == "__main__":
    import desk

    desk.main()
