"""The one environment of all templates: it escapes, and refuses names that it does not know."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from leadline.web import figures, plots
from leadline.web.assets import address
from leadline.web.frame import NAVIGATION
from leadline.web.visible import plain, visible


def render(template: str, **names: Any) -> str:
    """Return a template filled in."""
    return _environment().get_template(template).render(names)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("leadline.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=plain,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "visible": visible,
        "short": figures.short,
        "exact": figures.exact,
        "share": figures.share,
        "seconds": figures.seconds,
        "moment": _moment,
    }
    made.globals |= {
        "address": address,
        "navigation": NAVIGATION,
        "sparkline": plots.sparkline,
        "columns": plots.columns,
        "bar": plots.bar,
    }
    return made


def _moment(at: float) -> str:
    """Return seconds since 1970 as ISO 8601 in UTC: exact, and right without any script."""
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
