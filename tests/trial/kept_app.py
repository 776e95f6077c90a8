"""A module as services have them: singletons with state, sentinels, decorated methods."""

import functools
import threading


class Rates:
    def __init__(self) -> None:
        self.by_name: dict[str, float] = {}
        self.calls = 0
        self.lock = threading.Lock()
        self.api_key = "key-from-the-environment"

    def rate(self, name: str) -> float:
        self.calls += 1
        return self.by_name[name]


class Gateway:
    """Holds what no other process can have."""

    def __init__(self) -> None:
        self.worker = threading.Thread()
        self.seen: list[str] = []


class Pricing:
    NONE = object()

    def __init__(self, rates: Rates, gateway: Gateway) -> None:
        self.rates = rates
        self.gateway = gateway
        self.table = TABLE


def loud(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    wrapper.__qualname__ = "wrapper"
    return wrapper


class Loud:
    @loud
    def say(self) -> str:
        return "said"


TABLE: dict[str, int] = {"start": 0}
RATES = Rates()
GATEWAY = Gateway()
PRICING = Pricing(RATES, GATEWAY)
LARGE = Rates()
