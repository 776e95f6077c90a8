"""Values over time as SVG, large enough to read: columns for counts, stepped lines for sizes.

A step in which nothing was seen has no line: a gap is no value, and not zero.
"""

from collections.abc import Sequence

from markupsafe import Markup

from leadline.wire.struct import dataclass

WIDTH, HEIGHT = 600, 100


@dataclass(frozen=True, slots=True)
class Curve:
    """A line. `style` is its class in the style sheet; None is a step without a value."""

    name: str
    style: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Scale:
    """What the bottom and the top of a picture stand for."""

    low: float
    high: float

    def height(self, value: float) -> float:
        """Return where a value is, from 0 at the bottom to 1. Parts of the largest are taken
        first, so that no difference of large numbers is beyond what a float holds."""
        most = max(abs(self.low), abs(self.high)) or 1.0
        whole = self.high / most - self.low / most
        return (value / most - self.low / most) / whole if whole else 0.0


def scale(values: Sequence[float | None]) -> Scale:
    """Return a scale with zero and all of the values in it."""
    known = [value for value in values if value is not None]
    return Scale(min(0.0, *known, 0.0), max(0.0, *known, 0.0))


def columns_over_time(values: Sequence[float | None], title: str) -> Markup:
    """Return a column for each step, from zero up or down."""
    whole, wide = scale(values), WIDTH / max(1, len(values))
    ground = whole.height(0.0)
    drawn = Markup("").join(
        Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
            number * wide,
            HEIGHT * (1 - max(ground, top)),
            max(wide - 0.6, 0.6),
            max(HEIGHT * abs(top - ground), 0.5),
        )
        for number, value in enumerate(values)
        if value and (top := whole.height(value)) is not None
    )
    return _svg("columns", title, drawn)


def lines_over_time(curves: Sequence[Curve], title: str) -> Markup:
    """Return stepped lines on one scale."""
    whole = scale([value for curve in curves for value in curve.values])
    drawn = Markup("").join(
        Markup('<path class="{}" d="{}"/>').format(curve.style, _stepped(curve.values, whole))
        for curve in curves
    )
    return _svg("lines", title, drawn)


def _stepped(values: Sequence[float | None], whole: Scale) -> str:
    wide, parts, before = WIDTH / max(1, len(values)), [], False
    for number, value in enumerate(values):
        if value is not None:
            y = 1 + (HEIGHT - 2) * (1 - whole.height(value))
            begin = f"V{y:.1f}" if before else f"M{number * wide:.1f} {y:.1f}"
            parts.append(f"{begin}H{(number + 1) * wide:.1f}")
        before = value is not None
    return "".join(parts)


def _svg(kind: str, title: str, content: Markup) -> Markup:
    return Markup(
        '<svg class="plot over-time {}" viewBox="0 0 {} {}" preserveAspectRatio="none"'
        ' role="img" aria-label="{}"><title>{}</title>{}</svg>'
    ).format(kind, WIDTH, HEIGHT, title, title, content)
