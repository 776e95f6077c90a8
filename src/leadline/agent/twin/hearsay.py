"""Reads what a twin says of itself. Anything may have run in it, and written to its channel:
what does not follow the contract is left out, so that it can spoil its own answer alone."""

from typing import Any

from leadline.wire.errors import WireError
from leadline.wire.twin import Refusal, Said

_MOST_LEVELS = 100
"""Of a value; one of ours has a tenth of it, and deeper ones end in a `RecursionError`."""
_MOST_NOTES = 20
UNREADABLE = "what the twin says cannot be read"


def read_said(value: Any) -> Said:
    """Read what one expression came to; raises `WireError`."""
    if not isinstance(value, dict) or not value.keys() <= set(Said.__match_args__):
        raise WireError(UNREADABLE)
    texts = [value.get(name, "") for name in ("code", "printed", "raised")]
    if any(type(one) is not str for one in texts) or type(value.get("returned")) is not bool:
        raise WireError(UNREADABLE)
    check_depth(value.get("value"))
    code, printed, raised = texts
    return Said(
        code=code,
        returned=value["returned"],
        value=value.get("value"),
        printed=printed,
        raised=raised,
        refused=read_refusals([_listed(one) for one in _objects(value.get("refused"))]),
    )


def read_refusals(value: Any) -> list[Refusal]:
    """Read what was tried in vain: those of `[what, detail, count]`."""
    found = value if isinstance(value, list) else []
    return [
        Refusal(*one)
        for one in found
        if isinstance(one, list) and [type(part) for part in one] == [str, str, int]
    ]


def read_notes(value: Any) -> list[str]:
    """Read notes: those that are texts."""
    found = value if isinstance(value, list) else []
    return [one for one in found if type(one) is str][:_MOST_NOTES]


def check_depth(value: Any, levels: int = _MOST_LEVELS) -> None:
    """Raise `WireError` for what is nested more deeply than anything of ours."""
    if not levels:
        raise WireError(UNREADABLE)
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            check_depth(one, levels - 1)


def _listed(refusal: dict[str, Any]) -> list[Any]:
    return [refusal.get(name) for name in Refusal.__match_args__]


def _objects(value: Any) -> list[dict[str, Any]]:
    found = value if isinstance(value, list) else []
    return [one for one in found if isinstance(one, dict)]
