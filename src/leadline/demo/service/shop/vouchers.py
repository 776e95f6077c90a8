"""Vouchers: codes that take an amount or a percentage off a basket."""

from dataclasses import dataclass
from datetime import date

from shop.db import Database
from shop.errors import InvalidError
from shop.money import percent_of


@dataclass(frozen=True)
class Voucher:
    """`value` is cents or percent, by `kind`; `minimum` is in cents of goods."""

    code: str
    kind: str
    value: int
    minimum: int
    valid_until: str

    def worth(self, base: int) -> int:
        """What it takes off goods worth `base`, in cents and never more than that."""
        if self.kind == "percent":
            return percent_of(base, self.value)
        return min(self.value, base)


def redeem(db: Database, code: str, today: date) -> Voucher:
    """The voucher behind a code as a customer typed it; it must still be valid."""
    with db.reading() as connection:
        row = connection.execute(
            "SELECT * FROM vouchers WHERE code = ?", (code.strip().upper(),)
        ).fetchone()
    if row is None:
        raise InvalidError(f"there is no voucher {code!r}")
    voucher = Voucher(**dict(row))
    if voucher.valid_until < today.isoformat():
        raise InvalidError(f"voucher {voucher.code} was valid until {voucher.valid_until}")
    return voucher
