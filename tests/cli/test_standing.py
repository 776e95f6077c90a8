"""How a probe stands is said once for all instances that say the same."""

from typing import Any

from leadline.cli.standing import reasons


def test_a_few_are_named() -> None:
    assert reasons(probe(one(1, "armed"), one(2, "waiting"), one(3, "waiting"))) == [
        "shop/2, shop/3: waiting",
        "shop/1: armed",
    ]


def test_two_hundred_are_counted() -> None:
    many = [one(number, "waiting: it has not answered yet") for number in range(199)]
    assert reasons(probe(one(999, "armed; its function was not called"), *many)) == [
        "199 instances: waiting: it has not answered yet",
        "shop/999: armed; its function was not called",
    ]


def test_who_is_gone_does_not_count() -> None:
    gone = one(1, "armed") | {"connected": False}
    assert reasons(probe(gone, reason="expired")) == ["expired"]
    assert reasons(probe(gone)) == ["no instance is connected"]


def one(pid: int, why: str) -> dict[str, Any]:
    return {"program": "shop", "pid": pid, "why": why, "connected": True}


def probe(*instances: dict[str, Any], reason: str = "") -> dict[str, Any]:
    return {"reason": reason, "instances": list(instances)}
