"""Of what is held back in a run there is one digest, whatever hangs on it."""

import hashlib
import types

import numpy as np
import pytest

from leadline.agent.place.deep import MeasuredWalk, deep_taker
from leadline.agent.place.digests import digest, use_salt
from leadline.agent.place.inside import inside
from leadline.agent.place.parts import of_c


class App:
    """One of a framework's: what is held back leads to it again."""

    def __init__(self, setting: str) -> None:
        self.name, self.setting = "shop", setting
        self.cookie = {"app": self, "token": [self], "csrf": {"app": self}}
        self.secret_key = {"password": self.cookie, "of": self}


def test_what_is_held_back_within_what_is_held_back_is_looked_at_once():
    told = [deep_taker()(App(setting)) for setting in ("a", "a", "b")]
    assert told[0] == told[1]
    (one, other) = (tree["fields"] for tree in told[1:])
    assert one["cookie"]["text"].startswith("#")
    assert (one["setting"], other["setting"]) == ("a", "b")
    held = [deep_taker()({"token": value}) for value in ([1, {"pin": 2}], [1, {"pin": 3}])]
    assert held[0] != held[1]


def test_nothing_is_said_of_what_is_held_back_and_too_much():
    (pair,) = deep_taker(20_000)({"token": list(range(5_000))})["entries"]
    assert pair == ["token", {"type": "?", "omitted": "room"}]


@pytest.mark.parametrize("depth", [3, 40])
def test_it_ends_however_much_is_held_back(depth):
    value = {}
    for _ in range(depth):
        value = {"password": value, "token": value}
    assert str(deep_taker(50_000)(value)).count("omitted") >= 1


def test_what_is_held_back_takes_no_room_from_what_is_shown():
    walk = MeasuredWalk(5_000)
    held = {"token": list(range(500)), "name": "shop"}
    assert walk.take(held, 0)["entries"][1] == ["name", "shop"]
    assert walk.room.left > 0


@pytest.mark.parametrize(
    "tell",
    [
        lambda: deep_taker()({"password": "summer"}),
        lambda: deep_taker()(np.array([4, 7, 1, 1])),
        lambda: inside({"it": hashlib.sha256(b"summer")}),
        lambda: inside({"it": types.SimpleNamespace(kept=hashlib.sha256(b"summer"))}),
        lambda: inside({"it": lambda: "summer"}),
        lambda: of_c(hashlib.sha256(b"summer")),
        lambda: digest("summer"),
    ],
)
def test_what_a_digest_is_of_cannot_be_found_out_by_trying(tell):
    """Another verification has another salt; within one, the same is the same."""
    use_salt("one")
    told = str(tell())
    assert str(tell()) == told
    use_salt("another")
    assert str(tell()) != told
    assert hashlib.sha256(b"summer").hexdigest() not in told
