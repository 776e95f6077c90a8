"""What of a web application's call the live call shows, and what only the runs of it do.

The response is what such a call comes to. The application itself and the request's dictionary
are the process' own and the server's: they hold what earlier requests have left, so between the
live call and the control they are not compared; between control and candidate they are.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from leadline.trial.outcome import Outcome
from leadline.verify.calls import CapturedCall
from leadline.wire.gateway import HEAD, RESPONSE
from leadline.wire.struct import replace
from leadline.wire.value import Value, render

_REQUESTS = (
    ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING"),
    ("method", "path", "query_string"),
)
"""What was asked for, in the dictionary of a request of WSGI and of ASGI."""
UNSHOWN_RESPONSE = "the live call does not show what was answered"
_HEAD_UNSEEN = (
    "status and headers were compared between control and candidate; the live call shows the "
    "body only"
)
_BODY_UNSEEN = (
    "the body was compared between control and candidate; the live call shows status and "
    "headers only"
)


def is_answered(control: Outcome | None) -> bool:
    """Tell whether a run was that of a web application."""
    return control is not None and RESPONSE in control.arguments


def answer(outcome: Outcome, control: Outcome) -> Outcome:
    """Return what is compared of an outcome between the live call and a control."""
    if not is_answered(control):
        return outcome
    response = {name: one for name, one in outcome.arguments.items() if name == RESPONSE}
    return replace(outcome, arguments=response)


def unshown(call: CapturedCall, control: Outcome) -> str:
    """Return why nothing can be said of a call, where it shows nothing of its response."""
    if not is_answered(control) or not call.live.returned:
        return ""
    return "" if _shows_head(call) or _shows_body(call) else UNSHOWN_RESPONSE


def notes_of(calls: Iterable[tuple[CapturedCall, Outcome | None]]) -> list[str]:
    """Say what was not compared with what really happened, of calls and their controls."""
    notes: dict[str, None] = {}
    for call, control in calls:
        if control is None or not is_answered(control) or not call.live.returned:
            continue
        if not _shows_head(call):
            notes[_HEAD_UNSEEN] = None
        elif not _shows_body(call):
            notes[_BODY_UNSEEN] = None
    return list(notes)


def answer_text(response: Value) -> str:
    """Return a response in one line; empty for one of which nothing was seen."""
    fields = response.get("fields") if isinstance(response, dict) else None
    if not isinstance(fields, dict) or "status" not in fields:
        return ""
    headers = fields.get("headers")
    entries = headers.get("entries", ()) if isinstance(headers, dict) else ()
    kinds = [value for name, value in entries if name == "content-type"]
    parts = [
        " ".join(render(fields[name]) for name in ("status", "reason") if name in fields),
        *(render(one) for one in kinds),
        *(render(fields[name]) for name in ("body", "raised") if name in fields),
    ]
    return "answered " + ", ".join(parts)


def request_text(arguments: Mapping[str, Value]) -> str:
    """Return what was asked for, `GET /orders/3?page=2`; empty where no argument is the request
    of a server."""
    for value in arguments.values():
        entries = value.get("entries") if isinstance(value, dict) else None
        if not isinstance(entries, list):
            continue
        held = {key: one for key, one in entries if isinstance(key, str)}
        for method, path, query in _REQUESTS:
            if isinstance(held.get(method), str) and isinstance(held.get(path), str):
                asked = held.get(query)
                text = asked.get("text") if isinstance(asked, dict) else asked
                return f"{held[method]} {held[path]}" + (f"?{text}" if text else "")
    return ""


def _fields(call: CapturedCall) -> dict[str, Any]:
    response = call.live.arguments.get(RESPONSE)
    fields = response.get("fields") if isinstance(response, dict) else None
    return fields if isinstance(fields, dict) else {}


def _shows_head(call: CapturedCall) -> bool:
    return all(name in _fields(call) for name in HEAD)


def _shows_body(call: CapturedCall) -> bool:
    if "body" in _fields(call):
        return True
    if call.live.yields and not call.live.more:
        return all(map(_is_octets, call.live.yields))
    value = call.live.value
    if not isinstance(value, dict) or value.get("type") not in ("list", "tuple"):
        return False
    items = value.get("items")
    return bool(items) and not value.get("omitted") and all(map(_is_octets, items or ()))


def _is_octets(value: Value) -> bool:
    return isinstance(value, dict) and value.get("type") == "bytes"
