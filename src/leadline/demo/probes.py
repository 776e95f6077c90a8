"""The probes that the demo begins with, and what it suggests to try."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FirstProbe:
    """A command to place a probe, why a person would, and what its lines then hold."""

    why: str
    command: tuple[str, ...]
    shows: str


FIRST_PROBES = (
    FirstProbe(
        "What do quotes look like? A log line on a line of the running shop:",
        (
            "log",
            "shop",
            "shop/pricing.py:51",
            "{customer.country} {customer.tier}: goods {goods} + shipping {shipping} = {total}",
            "--rate",
            "2",
            "--hits",
            "1000",
        ),
        "  shop/pricing.py:51  ",
    ),
    FirstProbe(
        "Some quotes answer 500. Catch the exception with the stack and all variables:",
        ("catch", "shop", "shop.pricing:spread_voucher", "--type", "ZeroDivisionError"),
        "ZeroDivisionError('division by zero') in spread_voucher",
    ),
    FirstProbe(
        "How long does a quote take? Added up in the process, shown once a second:",
        ("time", "shop", "shop.pricing:quote"),
        "  p3 shop.pricing:quote  n ",
    ),
)

NEXT_COMMANDS = (
    "hits --probe p2 --full --limit 1",
    "series p3 --since 1m",
    "log shop shop/worker.py:41 'round {rounds}: moved {moved}, sent {sent}' --rate 1",
    "log shop shop/volume.py:12 'of {quantity}: {reached}' --if 'len(reached) > 2'",
    "log shop shop/orders.py:33 'order {number} for {customer.email}, paid by {payment_token}'",
)
"""Which basket fails; quotes over time; a loop that began before we came; why large orders cost
too much; a secret that stays home."""

_VERIFY = (
    "verify shop --entry shop.pricing:quote --fails 'raises ZeroDivisionError' "
    "--expect 'result[\"total\"] > 0' --patch {}/{}.diff"
)
VERIFY_COMMANDS = tuple(
    _VERIFY.replace("{}.diff", f"{name}.diff")
    for name in ("good", "plausible", "swallow", "unrelated")
)
"""Candidates for the first planted bug, with the folder to be filled in: one that is right, one
that only looks right, one that swallows the error, one for the other bug."""

TWIN_COMMANDS = (
    "ask shop shop/pricing.py:51 'shipping_cost(\"DE\", customer.tier, grams, goods)' voucher",
    "rerun shop shop.pricing:quote -n 3",
    "shell shop shop/pricing.py:51",
)
"""What shipping would be elsewhere, by a function of the shop's own; whether a quote comes to
the same once more; a prompt in the next quote. The shop allows it: `LEADLINE_TWIN=threads`."""
