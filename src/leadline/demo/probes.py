"""The probes that the demo begins with, and what it suggests to try."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FirstProbe:
    """A command to place a probe, and why a person would."""

    why: str
    command: tuple[str, ...]


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
    ),
    FirstProbe(
        "Some quotes answer 500. Hit only when the divisor is zero:",
        (
            "log",
            "shop",
            "shop/pricing.py:27",
            "ABOUT TO FAIL: voucher {voucher.code} worth={worth} base={base} lines={lines}",
            "--if",
            "base == 0",
        ),
    ),
    FirstProbe(
        "A loop that began before we came is reached too:",
        (
            "log",
            "shop",
            "shop/worker.py:41",
            "round {rounds}: restocked {restocked}, moved {moved}, sent {sent}",
            "--rate",
            "1",
        ),
    ),
)

NEXT_COMMANDS = (
    "probes shop",
    "log shop shop/volume.py:12 'of {quantity}: {reached}' --if 'len(reached) > 2'",
    "log shop shop/orders.py:33 'order {number} for {customer.email}, paid by {payment_token}'",
)
"""How the probes stand; why large orders cost too much; a secret that stays home."""
