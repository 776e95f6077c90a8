"""Arguments by value: what is written down, that nothing runs meanwhile, and its limits."""

import dataclasses
import json
import threading

import hostile
from leadline.agent.capture.keeping import Landmarks, keep, withhold
from leadline.trial.rebuilding import check, rebuild


@dataclasses.dataclass(frozen=True)
class Item:
    sku: str
    cents: int


@dataclasses.dataclass
class Customer:
    name: str
    email: str
    password: str = ""


def test_a_call_is_written_down_and_made_again() -> None:
    items = [Item("a", 1), Item("b", 2)]
    named = {"items": items, "first": items[0], "options": {"fast": True, "rate": 0.5}}
    kept = keep(named.items())
    assert kept.obstacle == ""
    document = json.loads(json.dumps(kept.document))
    made = rebuild(document)
    assert made == named
    assert made["first"] is made["items"][0]
    assert check(document, keep) == ""


def test_what_a_name_calls_a_secret_is_withheld() -> None:
    kept = keep([("customer", Customer("Ann", "ann@example.org", "hunter2"))])
    assert kept.withheld == ["customer.password (name 'password')"]
    assert "hunter2" not in json.dumps(kept.document)


def test_what_a_pattern_finds_is_withheld_before_it_leaves() -> None:
    kept = withhold(keep([("texts", ["plain", "Bearer abcdef0123456789abcdef"])]))
    assert kept.withheld == ["texts[1] (pattern 'bearer')"]
    assert "abcdef0123456789" not in json.dumps(kept.document)


def test_what_lives_in_its_process_is_said() -> None:
    kept = keep([("cart", {"worker": threading.Thread()})])
    assert kept.document is None
    assert kept.obstacle == "cart['worker']: a threading.Thread lives in its process"


def test_the_zoo_runs_nothing() -> None:
    landmarks = Landmarks.of([__name__, "hostile"])
    hostile.calls.clear()
    for animals in (hostile.zoo(), hostile.named_zoo()):
        for name, animal in animals.items():
            keep([(name, animal)])
            keep([(name, [animal, {"x": animal}])], landmarks=landmarks)
        assert hostile.calls == []
