"""Candidates run in fresh sealed places, on calls of the demo's shop."""

from pathlib import Path

import pytest
from verify.calling import captured, home, imported

import leadline.demo
from leadline.trial.candidate import from_diff
from leadline.verify.sources import finder
from leadline.verify.verifying import Request, verify

SHOP = Path(leadline.demo.__file__).parent / "service"
FIXES = SHOP.parent / "fixes"


@pytest.fixture(scope="module")
def quotes():
    with imported(SHOP, "shop.pricing", "shop.basket", "shop.customers", "shop.vouchers") as (
        _, basket, customers, vouchers,
    ):  # fmt: skip
        ada = customers.Customer(1, "Ada", "ada@example.org", "DE", "basic")
        pen = basket.Line("PEN", "Pen", 2, 1_490, 19, 320, True)
        book = basket.Line("BOOK", "Book", 1, 3_200, 7, 780, False)
        gift = basket.Line("GIFT-25", "Gift card", 1, 2_500, 0, 12, False)
        ten = vouchers.Voucher("HARBOUR10", "amount", 1_000, 2_500, "2099-12-31")
        some = vouchers.Voucher("PAPER15", "percent", 15, 2_000, "2099-12-31")
        given = [
            (lines, ada, voucher)
            for voucher in (None, ten, some)
            for lines in ([pen], [pen, book], [book, pen, pen], [pen] * 4, [pen, gift, book])
        ]
        given += [([book, basket.Line("INK", "Ink", 1, 900, 19, 160, True)], ada, ten)]
        given += [([gift, book], ada, voucher) for voucher in (ten, some)]
        yield captured("shop.pricing:quote", given, "raises ZeroDivisionError")


def report(quotes, name, expect='result["total"] > 0'):
    place = home(SHOP)
    candidate = from_diff(
        (FIXES / f"{name}.diff").read_text(), finder(place.path, place.cwd), title=f"{name}.diff"
    )
    return verify(
        Request(
            "shop", "shop.pricing:quote", quotes, place, candidate,
            "raises ZeroDivisionError", expect,
        )
    )  # fmt: skip


def test_a_right_fix_is_fixed(quotes):
    found = report(quotes, "good")
    assert found.verdict == "fixed", found.sentence
    assert found.sentence == (
        "fixed: 2 of 2 failing calls meet the expectation, 16 of 16 other calls the same; "
        "control agreed on 18 of 18; changed lines reached by 18; "
        "at most 15 % of such calls could still differ (95 %)"
    )
