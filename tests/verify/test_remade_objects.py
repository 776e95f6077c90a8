"""Objects that the old code has made say nothing of a candidate that makes them otherwise."""

import pytest
from benchmarks.verify.calling import captured, home, imported

from leadline.trial.candidate import make, of_texts
from leadline.trial.remade import remade
from leadline.verify.verifying import Request, verify

pytestmark = pytest.mark.soak

CART = """
class Cart:
    def __init__(self, prices):
        self.prices = prices
        self.note = self._note()

    def _note(self):
        return "new"

    def total(self):
        return sum(self.prices)

class Basket(Cart):
    pass

def total(cart):
    return cart.total()

def made(prices):
    return Cart(prices).total()
"""
DISCOUNT = (
    ("self.prices = prices\n", "self.prices = prices\n        self.discount = 0\n"),
    ("sum(self.prices)", "sum(self.prices) - self.discount"),
)
OF_A_CLASS = {
    "an attribute": ("self.prices = prices", "self.prices = list(prices)", ["Cart", "Basket"]),
    "a helper of it": ('"new"', '"old"', ["Cart", "Basket"]),
    "slots": ("class Basket(Cart):\n", "class Basket(Cart):\n    __slots__ = ()\n", ["Basket"]),
    "a base": ("Basket(Cart)", "Basket(Cart, dict)", ["Basket"]),
    "a method": ("sum(self.prices)", "sum(self.prices, 0)", []),
    "a constant": (
        "class Basket(Cart):\n",
        "class Basket(Cart):\n    rate: int = 2\n",
        ["Basket"],
    ),
    "an annotation": ("(self, prices)", "(self, prices: list)", []),
    "a text": ("(self, prices):\n", "(self, prices):\n        'A cart.'\n", []),
}


@pytest.mark.parametrize(("old", "new", "names"), OF_A_CLASS.values(), ids=OF_A_CLASS)
def test_which_classes_are_made_otherwise(old, new, names):
    changed = CART.replace(old, new, 1)
    assert remade(CART, changed) == names
    assert remade(changed, CART) == names


@pytest.mark.parametrize(
    ("entry", "of", "verdict"),
    [
        ("total", "Cart", "unknown"),
        ("total", "Basket", "unknown"),
        ("Cart.total", "Cart", "unknown"),
        ("made", "", "no difference seen"),
    ],
)
def test_a_call_that_is_given_one_is_unknown(tmp_path, entry, of, verdict):
    (tmp_path / "carts.py").write_text(CART)
    new = CART
    for one, other in DISCOUNT:
        new = new.replace(one, other)
    with imported(tmp_path, "carts") as (module,):
        given = [([1, number],) for number in range(12)]
        if of:
            given = [(getattr(module, of)(*one),) for one in given]
        calls = captured(f"carts:{entry}", given)
        candidate = make("new", [of_texts(str(tmp_path / "carts.py"), CART, new)])
        found = verify(Request("s", f"carts:{entry}", calls, home(tmp_path), candidate))
    assert found.report.verdict == verdict
    assert ("made by the old code" in found.report.reason) == bool(of)


def test_what_makes_it_is_tried_on_what_it_is_given(tmp_path):
    (tmp_path / "carts.py").write_text(CART)
    new = CART.replace("self.prices = prices", "self.prices = prices[:1]")
    with imported(tmp_path, "carts") as (module,):
        cart = module.Cart.__new__(module.Cart)
        calls = captured("carts:Cart.__init__", [(cart, [1, number]) for number in range(12)])
        candidate = make("new", [of_texts(str(tmp_path / "carts.py"), CART, new)])
        found = verify(Request("s", "carts:Cart.__init__", calls, home(tmp_path), candidate))
    assert found.report.verdict == "changes behaviour"


def test_what_makes_it_may_stand_in_modules_that_the_entry_knows_nothing_of(tmp_path):
    texts = {
        "conf": "RATE = 1\n",
        "bills": "from conf import RATE\nclass Bill:\n def __init__(self): self.rate = RATE\n",
        "prices": "def price(bill):\n    return bill.rate * 2\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text)
    new = {"conf": "RATE = 3\n", "prices": texts["prices"].replace("* 2", "+ bill.rate")}
    with imported(tmp_path, "prices", "bills") as (_, bills):
        calls = captured("prices:price", [(bills.Bill(),) for _ in range(4)])
        changes = [of_texts(str(tmp_path / f"{one}.py"), texts[one], new[one]) for one in new]
        request = Request("s", "prices:price", calls, home(tmp_path), make("new", changes))
        found = verify(request)
    assert found.report.verdict == "unknown"
    assert "makes Bill otherwise: RATE (conf.py:1)" in found.report.reason


RECKONED = """
import functools

RATE = 2

class Cart:
    def __init__(self, prices):
        self.prices = prices

    @functools.cached_property
    def total(self):
        return self.sum() * RATE

    @functools.cached_property
    def count(self):
        return len(self.prices)

    def sum(self):
        return sum(self.prices)

class Basket(Cart):
    pass

def told(cart, add):
    return add + cart.total
"""
BEFORE = {
    "its body": ("self.sum() * RATE", "self.sum() * RATE * 2", "total", True),
    "a constant": ("RATE = 2", "RATE = 3", "total", True),
    "a method": ("return sum(self.prices)", "return sum(self.prices) + 1", "total", True),
    "another property": ("len(self.prices)", "len(self.prices) + 1", "total", False),
    "not asked for": ("self.sum() * RATE", "self.sum() * RATE * 2", "count", False),
    "the entry": ("add + cart", "2 * add + cart", "total", False),
}


@pytest.mark.soak
@pytest.mark.parametrize(("old", "new", "asked", "unknown"), BEFORE.values(), ids=BEFORE)
def test_properties_that_were_reckoned_before(tmp_path, old, new, asked, unknown):
    test_a_property_that_was_reckoned_before_is_unknown(tmp_path, old, new, asked, unknown)


@pytest.mark.parametrize(
    ("old", "new", "asked", "unknown"), [BEFORE["its body"], BEFORE["not asked for"]]
)
def test_a_property_that_was_reckoned_before_is_unknown(tmp_path, old, new, asked, unknown):
    (tmp_path / "carts.py").write_text(RECKONED)
    with imported(tmp_path, "carts") as (module,):
        given = [(module.Basket([1, number]), number) for number in range(3)]
        for cart, _ in given:
            getattr(cart, asked)
        calls = captured("carts:told", given)
        changed = of_texts(str(tmp_path / "carts.py"), RECKONED, RECKONED.replace(old, new))
        candidate = make("new", [changed])
        request = Request("s", "carts:told", calls, home(tmp_path), candidate, least=1)
        report = verify(request).report
    assert ("was reckoned by the old code" in report.reason) == unknown, report.reason
    assert not unknown or "Basket.total" in report.reason


ENCLOSED = """
def make(rate):
    more = rate + 1

    def hook(number):
        return number * more

    return hook

def told(hook, number):
    return hook(number)
"""
MAKING = {
    "what it holds": ("rate + 1", "rate + 2", True),
    "what else it does": ("more = rate", "print(rate)\n    more = rate", True),
    "its own code": ("number * more", "more * number * 1", False),
    "the entry": ("return hook(number)", "return hook(number + 0)", False),
}


@pytest.mark.soak
@pytest.mark.parametrize(("old", "new", "unknown"), MAKING.values(), ids=MAKING)
def test_functions_that_a_changed_one_has_made(tmp_path, old, new, unknown):
    test_a_function_that_a_changed_one_has_made_is_unknown(tmp_path, old, new, unknown)


@pytest.mark.parametrize(("old", "new", "unknown"), list(MAKING.values())[::2])
def test_a_function_that_a_changed_one_has_made_is_unknown(tmp_path, old, new, unknown):
    (tmp_path / "hooks.py").write_text(ENCLOSED)
    with imported(tmp_path, "hooks") as (module,):
        calls = captured("hooks:told", [(module.make(2), number) for number in range(3)])
        changed = of_texts(str(tmp_path / "hooks.py"), ENCLOSED, ENCLOSED.replace(old, new))
        candidate = make("new", [changed])
        request = Request("s", "hooks:told", calls, home(tmp_path), candidate, least=1)
        report = verify(request).report
    assert ("was made by make of the old code" in report.reason) == unknown, report.reason
