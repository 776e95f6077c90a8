"""Candidates run in fresh sealed places, on calls of the demo's shop."""

from pathlib import Path

import pytest

import leadline.demo
from leadline.trial.candidate import from_diff
from leadline.verify.sources import finder
from leadline.verify.verifying import Request, verify
from benchmarks.verify.calling import captured, home, imported

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
        (FIXES / f"{name}.diff").read_text(),
        finder(place.path, place.cwd),
        title=f"{name}.diff",
    )
    return verify(
        Request(
            "shop", "shop.pricing:quote", quotes, place, candidate,
            "raises ZeroDivisionError", expect,
        )
    )  # fmt: skip


def test_a_right_fix_is_fixed(quotes):
    found = report(quotes, "good")
    assert found.sentence == (
        "fixed: 2 of 2 failing calls meet the expectation, 11 of 11 other calls the same; "
        "control agreed on 18 of 18; changed lines reached by 13; "
        "at most 21 % of such calls could still differ (95 %)"
    )
    assert (found.verdict, found.exit_status, found.runs) == ("fixed", 0, 54)
    (case, _) = [one for one in found.cases if one.sort == "failing"]
    assert "ZeroDivisionError" in case.live
    assert case.candidate.startswith("returned {'currency': 'EUR'")
    assert found.paths > 1


def test_a_fix_that_only_looks_right_changes_behaviour(quotes):
    found = report(quotes, "plausible")
    assert found.sentence.startswith(
        "changes behaviour: 2 of 2 failing calls meet the expectation, "
        "1 of 16 good calls differ; "
    )
    (case,) = [one for one in found.cases if one.sort == "differing"]
    assert {one.where: (one.live, one.rerun) for one in case.differences} == {
        "result['tax']": ("281", "425"),
        "result['total']": ("3650", "4550"),
        "result['discount']": ("900", "0"),
        "result['lines'][1]['amount']": ("0", "900"),
        "result['lines'][1]['discount']": ("900", "0"),
    }
    assert found.exit_status == 1


def test_a_fix_that_swallows_the_error_is_none(quotes):
    found = report(quotes, "swallow")
    assert found.verdict == "not fixed"
    where = "ZeroDivisionError is still raised at shop/pricing.py:27"
    assert f"{where} and swallowed at shop/pricing.py:" in found.sentence
    assert report(quotes, "swallow", "").sentence.startswith(
        f"no longer fails: 2 of 2 failing calls do not fail any more, "
        f"16 of 16 other calls the same, {where} and swallowed at "
    )


def test_what_no_call_reaches_is_not_exercised(quotes):
    found = report(quotes, "unrelated")
    assert found.sentence == (
        "not exercised: no call has reached a changed line; "
        "control agreed on 18 of 18; changed lines reached by 0"
    )
    assert found.exit_status == 2
