"""Which modules are the service's own, so that what a call changes in them is compared."""

import pytest
from benchmarks.verify.calling import captured, home, imported

from leadline.trial.candidate import make, of_texts
from leadline.verify.verifying import Request, verify

ORDERS = """
def place(order, n):
    {lazily}ledger.book(order, n)
    return 100 // (n % 3)
"""
LEDGER = """
from totals import TOTALS

BOOK = {}
class Totals:
    paid = 0

def book(order, n):
    BOOK[order] = n
    Totals.paid = n
    TOTALS["all"] = n
"""
MENDED = ("return 100 // (n % 3)", "return 100 // (n % 3) if n % 3 else 0")
WRONG = {
    "a table": ("BOOK[order] = n", "BOOK[order] = n * 100"),
    "a class": ("Totals.paid = n", "Totals.paid = -n"),
    "another file": ('TOTALS["all"] = n', 'TOTALS["all"] = n + 1'),
    "": ("BOOK[order] = n", "one = n\n    BOOK[order] = one"),
}


def verdict(folder, texts, changed):
    """Return the report of a candidate that changes these texts of modules."""
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
    with imported(folder, *texts):
        given = [(f"o{n}", n) for n in range(9)]
        calls = captured("orders:place", given, "raises ZeroDivisionError")
    candidate = make("new", [
        of_texts(str(folder / f"{name}.py"), texts[name], texts[name].replace(*change))
        for name, change in changed.items()
    ])  # fmt: skip
    asked = ("raises ZeroDivisionError", "result == 0")
    return verify(
        Request("s", "orders:place", calls, home(folder), candidate, *asked, least=1)
    ).report


@pytest.mark.parametrize("what", ["a class", pytest.param("", marks=pytest.mark.soak)])
def test_what_a_call_changes_in_modules_that_it_imports_itself(tmp_path, what):
    lazily = ORDERS.format(lazily="import ledger\n    ")
    texts = {"totals": "TOTALS = {}\n", "ledger": LEDGER, "orders": lazily}
    report = verdict(tmp_path, texts, {"orders": MENDED, "ledger": WRONG[what]})
    assert report.verdict == ("changes behaviour" if what else "fixed"), report.sentence
    assert report.runs == 6 * 9


@pytest.mark.parametrize("what", ["a table", "another file"])
def test_what_a_call_changes_in_modules_that_are_installed(tmp_path, what):
    """As in the image of a container: other libraries there are none of the service's."""
    site = tmp_path / "site-packages"
    info = site / "orders-1.0.dist-info"
    info.mkdir(parents=True)
    own = ["orders.py", "ledger.py", "totals.py"]
    (info / "RECORD").write_text("".join(f"{name},sha256=x,1\n" for name in own))
    (site / "library.py").write_text("SEEN = []\n")
    orders = "import ledger, library\n" + ORDERS.format(lazily="")
    orders = orders.replace("    ledger", "    library.SEEN.append(n)\n    ledger")
    texts = {"totals": "TOTALS = {}\n", "ledger": LEDGER, "orders": orders}
    mended = (MENDED[0], f"library.SEEN.clear()\n    {MENDED[1]}")
    report = verdict(site, texts, {"orders": mended, "ledger": WRONG[what]})
    assert report.verdict == ("changes behaviour" if what else "fixed"), report.sentence


def test_a_coroutine_of_a_module_that_knows_of_no_loop(tmp_path):
    """What drives it is imported beforehand: a look at the files of SSL is nothing it does."""
    orders = "async def place(order, n):\n    return 100 // (n % 3)\n"
    assert verdict(tmp_path, {"orders": orders}, {"orders": MENDED}).verdict == "fixed"
