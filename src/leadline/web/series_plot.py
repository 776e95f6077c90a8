"""A series over time as SVG, with its scale: what one looks at before the numbers under it."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from leadline.web.figures import seconds, short

WIDTH, HEIGHT = 640, 140
_TOP, _BOTTOM = 8, 4


def series_plot(
    title: str,
    lines: Mapping[str, Sequence[tuple[float, float]]],
    since: float,
    until: float,
    *,
    timed: bool = False,
) -> Markup:
    """Return lines of (time, value) by name, from `since` to `until`; zero is always in it.

    The scale's two ends are text beside the picture, so that they stay readable when it is
    stretched; `timed` writes them as times.
    """
    values = [value for line in lines.values() for _, value in line]
    least, most = min(0.0, *values, 0.0), max(0.0, *values, 0.0)
    if most == least:
        most = least + 1.0
    wide = (until - since) or 1.0

    def place(at: float, value: float) -> str:
        share = (value - least) / (most - least)
        x = (at - since) / wide * WIDTH
        return f"{x:.1f},{_TOP + (1 - share) * (HEIGHT - _TOP - _BOTTOM):.1f}"

    drawn = Markup("").join(
        Markup('<polyline class="line-{}" points="{}"/>').format(
            number, " ".join(place(at, value) for at, value in line)
        )
        + (_dot(number, place(*line[0])) if len(line) == 1 else Markup(""))
        for number, line in enumerate(lines.values())
    )
    said = _time if timed else short
    names = Markup("").join(
        Markup('<span class="name line-{}">{}</span>').format(number, name)
        for number, name in enumerate(lines)
        if len(lines) > 1
    )
    return Markup(
        '<div class="series-plot"><div class="scale"><span>{}</span><span>{}</span></div>'
        '<svg viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
        "<title>{}</title>{}</svg>"
        '<div class="names">{}</div></div>'
    ).format(said(most), said(least), WIDTH, HEIGHT, title, title, drawn, names)


def _dot(number: int, point: str) -> Markup:
    x, _, y = point.partition(",")
    return Markup('<circle class="line-{}" cx="{}" cy="{}" r="3"/>').format(number, x, y)


def _time(value: float) -> str:
    return seconds(value) if value else "0"
