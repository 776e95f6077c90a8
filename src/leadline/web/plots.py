"""Small plots as SVG, drawn on the server: no script has to run before one sees something.

Colours come from the style sheets by class, so that a plot is as light or dark as its page.
Each has a title, which a screen reader says in place of the picture.
"""

from collections.abc import Sequence

from markupsafe import Markup

WIDTH, HEIGHT = 120, 20


def sparkline(values: Sequence[float], title: str) -> Markup:
    """Return a line over time, the newest value at the right; zero is at the bottom."""
    most = max(values, default=0) or 1
    step = WIDTH / max(1, len(values) - 1)
    points = " ".join(
        f"{number * step:.1f},{HEIGHT - 1 - value / most * (HEIGHT - 2):.1f}"
        for number, value in enumerate(values)
    )
    return _svg(
        "sparkline",
        title,
        Markup(
            '<polygon class="under" points="0,{h} {p} {w},{h}"/><polyline points="{p}"/>'
        ).format(h=HEIGHT, w=WIDTH, p=points),
    )


def columns(values: Sequence[float], title: str) -> Markup:
    """Return one column for each value, the newest at the right."""
    most = max(values, default=0) or 1
    wide = WIDTH / max(1, len(values))
    drawn = Markup("").join(
        Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
            number * wide, HEIGHT - tall, max(wide - 0.5, 0.5), tall
        )
        for number, value in enumerate(values)
        if (tall := value / most * HEIGHT) > 0
    )
    return _svg("columns", title, drawn)


def bar(part: float, title: str) -> Markup:
    """Return a bar filled by a share of 0 to 1; over 0.7 it warns, from 1 on it is full."""
    filled = min(max(part, 0.0), 1.0)
    level = "full" if part >= 1 else "much" if part > 0.7 else "well"
    return _svg(
        f"bar {level}",
        title,
        Markup('<rect class="all" width="{}" height="{}" rx="3"/>').format(WIDTH, HEIGHT)
        + Markup('<rect class="part" width="{:.1f}" height="{}" rx="3"/>').format(
            filled * WIDTH, HEIGHT
        ),
    )


def _svg(kind: str, title: str, content: Markup) -> Markup:
    return Markup(
        '<svg class="plot {}" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img"'
        ' aria-label="{}"><title>{}</title>{}</svg>'
    ).format(kind, WIDTH, HEIGHT, title, title, content)
