"""How a placeholder presents its value: `!r`, and the part after the colon."""

from leadline.wire.struct import dataclass
from leadline.wire.value import Value, render

MAX_WIDTH = 100
"""Columns that a value may be padded to."""
MAX_PRECISION = 20
"""Digits after the point, or characters kept of a text."""

SPEC = "[<^>][width][,][.precision][d e E f g G % s x X], such as >10, ,.2f or .20"

_INTEGER, _FLOAT, _TEXT = "dxX", "eEfgG%", "s"


class BadSpecError(ValueError):
    """A format that is not there; the message says what to write."""


@dataclass(frozen=True, slots=True)
class Presentation:
    """`kind` is the letter at the end of the format, or nothing."""

    quoted: bool = False
    spec: str = ""
    kind: str = ""

    def show(self, value: Value) -> str:
        """Return a captured value as text; a format that does not fit it is left aside."""
        if not self.spec or not self._fits(value):
            return render(value, quoted=self.quoted)
        shown = render(value, quoted=True) if self.quoted else value
        try:
            return format(shown, self.spec)
        except (ValueError, OverflowError):
            return render(value, quoted=self.quoted)

    def _fits(self, value: Value) -> bool:
        if type(value) is str or self.quoted:
            return self.kind in {"", _TEXT} and "," not in self.spec
        if type(value) is int:
            return self.kind != _TEXT
        return type(value) is float and self.kind in _FLOAT


def read_spec(spec: str, *, quoted: bool) -> Presentation:
    """Check the part after the colon; raises `BadSpecError`."""
    rest = spec[1:] if spec[:1] in ("<", "^", ">") else spec
    width, rest = _digits(rest)
    if width > MAX_WIDTH:
        raise BadSpecError(f"a value is padded to at most {MAX_WIDTH} columns")
    comma = rest.startswith(",")
    rest = rest[comma:]
    point = rest.startswith(".")
    if point:
        precision, after = _digits(rest[1:])
        if after == rest[1:]:
            raise BadSpecError("a number follows the point: .2f")
        if precision > MAX_PRECISION:
            raise BadSpecError(f"the precision is at most {MAX_PRECISION}")
        rest = after
    if rest and (len(rest) > 1 or rest not in _INTEGER + _FLOAT + _TEXT):
        raise BadSpecError(f"a format is {SPEC}")
    if point and rest and rest in _INTEGER:
        raise BadSpecError(f"{rest} shows whole numbers, which have no precision; write .2f")
    if comma and rest and rest in "xXs":
        raise BadSpecError(f"the comma groups digits and does not go with {rest}")
    return Presentation(quoted, spec, rest)


def _digits(text: str) -> tuple[int, str]:
    rest = text.lstrip("0123456789")
    digits = text[: len(text) - len(rest)]
    return int(digits[:6] or "0"), rest
