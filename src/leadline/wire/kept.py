"""What is kept of a call's arguments, by value."""

from typing import Any

from leadline.wire.struct import dataclass, field

VERSION = 1
MAX_CALL_BYTES = 256_000


@dataclass(frozen=True, slots=True)
class Kept:
    """`document` is JSON `{"v": 1, "roots": {parameter: ref}, "nodes": [...]}`; None where
    nothing can be rebuilt, and `obstacle` then says why. `withheld` names what redaction has
    held back."""

    document: dict[str, Any] | None = None
    size: int = 0
    withheld: list[str] = field(default_factory=list)
    obstacle: str = ""
