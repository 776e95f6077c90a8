"""What differs between one place the shop runs in and another."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Settings:
    """Times are in seconds."""

    database: Path = Path("shop.sqlite3")
    product_ttl: float = 30.0
    worker_pause: float = 0.5

    @classmethod
    def from_environment(cls) -> Self:
        return cls(database=Path(os.environ.get("SHOP_DATABASE", "shop.sqlite3")))
