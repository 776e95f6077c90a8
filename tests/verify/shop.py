"""The demo's shop: quotes, captured by making them, and the candidates that come with it."""

from pathlib import Path

from benchmarks.verify.calling import captured, home

import leadline.demo
from leadline.trial.candidate import from_diff
from leadline.verify.sources import finder
from leadline.verify.verifying import Request, verify

SHOP = Path(leadline.demo.__file__).parent / "service"
FIXES = SHOP.parent / "fixes"
FAILS = "raises ZeroDivisionError"


def make_quotes(_, basket, customers, vouchers):
    """Make the calls; takes the shop's modules."""
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
    return captured("shop.pricing:quote", given, FAILS)


def candidate_of(name):
    place = home(SHOP)
    text = (FIXES / f"{name}.diff").read_text()
    return from_diff(text, finder(place.path, place.cwd), title=f"{name}.diff")


def verified(quotes, candidate, place, expect):
    return verify(
        Request("shop", "shop.pricing:quote", quotes, place, candidate, FAILS, expect, least=10)
    )


def report(quotes, name, expect='result["total"] > 0'):
    return verified(quotes, candidate_of(name), home(SHOP), expect).report
