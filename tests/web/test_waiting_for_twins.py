"""How an order of a twin stands that has no answer yet."""

from types import SimpleNamespace

from leadline.control.views import StateView
from leadline.web.twin import waiting
from leadline.wire.probe import Fate, Status


def state(status, **fates):
    return StateView(
        instance="one", connected=True, pid=1, host="vm", program="app", reported_at=1.0,
        status=status, reason="", file="", line=0, source="", function="",
        fates={Fate(fate): count for fate, count in fates.items()}, unknown="", cost_ns=0,
        why="expired: all 1 hits were captured",
    )  # fmt: skip


def order(*states, ended_at=None):
    return SimpleNamespace(instances=list(states), ended_at=ended_at, reason="")


def test_an_order_that_is_used_up_is_not_over_before_its_twin_has_answered():
    stands = waiting(order(state(Status.EXPIRED, captured=1)))
    assert (stands.over, stands.reasons) == (False, [])
    assert stands.told == "A twin was made; it has not answered yet."


def test_an_order_is_over_where_nothing_was_made_and_nothing_will_be():
    assert waiting(order(state(Status.EXPIRED))).over
    assert waiting(order(state(Status.ERROR))).over
    assert not waiting(order(state(Status.ERROR), state(Status.ARMED))).over
    assert waiting(order(state(Status.EXPIRED, captured=1), ended_at=1.0)).over
