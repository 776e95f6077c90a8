"""What of a twin's answer may leave the process: redacted by name and by pattern, like any hit.

A twin can be asked to turn a secret into something that no rule knows; this keeps out what
would leave by accident.
"""

import re
from typing import Any

from leadline.agent.capture import outlet
from leadline.agent.guard import faults
from leadline.agent.twin.digests import taken_out
from leadline.agent.twin.hearsay import UNREADABLE, check_depth
from leadline.trial.place import HANDED
from leadline.wire.redaction import secret_name
from leadline.wire.stepping import Reason
from leadline.wire.struct import replace
from leadline.wire.twin import LIVE, Agreement, Difference, Ran, Refusal, Said, Tried, TwinView
from leadline.wire.value import Omission, Value

_WAY = re.compile(
    r"""\s*[^\W\d]\w*(?:\s*\.\s*[^\W\d]\w*|\s*\[\s*(?:'[^']*'|"[^"]*"|-?\d+)\s*\])*\s*"""
)
"""An expression that only names something: `user.token`, `settings["password"]`."""
_NAMES = re.compile(r"""[^\W\d]\w*|'[^']*'|"[^"]*\"""")
_WORDS = re.compile(r"[^\W\d]\w*")
_OURS = ("do", "reason", "what", "file", "function")
"""Members of a shell's reply whose texts are no values of the application."""
_HIDDEN = "<redacted {}>"


def withheld(code: str) -> str | None:
    """Return the rule by which the value of `code` is a secret, if it names one."""
    if not _WAY.fullmatch(code):
        return None
    rules = (secret_name(name.strip("'\"")) for name in _NAMES.findall(code))
    return next((rule for rule in rules if rule is not None), None)


def safe_view(view: TwinView) -> TwinView:
    """Redact the answer of a twin, but for a shell's."""
    return replace(
        view,
        reason=outlet.message(view.reason),
        said=[_safe_said(one) for one in view.said],
        refused=_safe_refused(view.refused),
        agreement=_safe_agreement(view.agreement) if view.agreement is not None else None,
        notes=[outlet.message(note) for note in view.notes],
        tried=_safe_tried(view.tried) if view.tried is not None else None,
    )


def safe_reply(reply: dict[str, Any], asked: str) -> dict[str, Any]:
    """Redact what a shell answers to `asked`, whatever it is."""
    try:
        check_depth(reply)
        return _safe_reply(reply, asked)
    except Exception as error:  # noqa: BLE001 - it wrote this, and whoever waits is to know
        faults.count("twin", error)
        return {"number": reply.get("number"), "reason": Reason.ERROR, "text": UNREADABLE}


def _safe_reply(reply: dict[str, Any], asked: str) -> dict[str, Any]:
    safe = {name: _safe_part(name, one) for name, one in reply.items()}
    rule = withheld(asked) if asked else None
    if rule is not None and reply.get("has_value"):
        safe |= {"value": _secret(rule), "text": _HIDDEN.format(rule)}
    return safe


def _safe_said(said: Said) -> Said:
    rule = withheld(said.code) if said.returned else None
    value = _secret(rule) if rule is not None else outlet.values({"value": said.value})["value"]
    return replace(
        said,
        value=value,
        printed=outlet.told(said.printed),
        raised=outlet.told(said.raised),
        refused=_safe_refused(said.refused),
    )


def _safe_agreement(agreement: Agreement) -> Agreement:
    return replace(
        agreement,
        reason=outlet.message(agreement.reason),
        live=outlet.told(agreement.live),
        rerun=outlet.told(agreement.rerun),
        differences=[_safe_difference(one) for one in agreement.differences],
    )


def _safe_difference(one: Difference) -> Difference:
    where, rule = outlet.message(one.where), _rule_within(one.where)
    if rule is not None:
        return Difference(where, _HIDDEN.format(rule), _HIDDEN.format(rule))
    return Difference(where, outlet.told(one.live), outlet.told(one.rerun))


def _rule_within(where: str) -> str | None:
    """Return the rule by which one of the names in a path is a secret's."""
    return next(filter(None, map(secret_name, _WORDS.findall(where))), None)


def _safe_tried(tried: Tried) -> Tried:
    candidate = tried.candidate
    return replace(
        tried,
        title=outlet.message(tried.title),
        controls=[_safe_agreement(one) for one in tried.controls],
        candidate=_safe_agreement(candidate) if candidate is not None else None,
        live=outlet.told(tried.live),
        unknown=outlet.message(tried.unknown),
        obstacle=outlet.message(tried.obstacle),
        runs=[_safe_run(one) for one in tried.runs],
    )


def _safe_run(ran: Ran) -> Ran:
    """Redact a run; of each value that is another by that, there is a digest."""
    parts = {"result": ran.value}
    parts |= {f"yield {number}": one for number, one in enumerate(ran.yields, 1)}
    groups = {"argument": ran.arguments, "state": ran.state, "held": ran.held}
    groups["given"] = ran.given or {}
    parts |= {
        f"{group} {name}": one
        for group, values in groups.items()
        for name, one in values.items()
    }
    safe = outlet.values(parts)
    for group in ("state", "held"):  # by names of modules, closures: no capture has met those
        for name in groups[group]:
            rule = _rule_within(name)
            if rule is not None:
                safe[f"{group} {name}"] = _secret(rule)
    texts = {"printed": ran.printed}
    told = {name: outlet.told(text) for name, text in texts.items()}

    def of(group: str) -> dict[str, Value]:
        return {name: safe[f"{group} {name}"] for name in groups[group]}

    held = {
        name if name.startswith(HANDED) else outlet.message(name): one
        for name, one in of("held").items()
    }
    if ran.what != LIVE:
        held |= taken_out(parts | texts, safe | told)
    return replace(
        ran,
        value=safe["result"],
        arguments=of("argument"),
        yields=[safe[f"yield {number}"] for number in range(1, len(ran.yields) + 1)],
        state={outlet.message(name): one for name, one in of("state").items()},
        given=of("given") if ran.given is not None else None,
        held=held,
        cut=outlet.message(ran.cut),
        raised=outlet.told(ran.raised),
        printed=told["printed"],
        refused=_safe_refused(ran.refused),
        marks=[outlet.message(mark) for mark in ran.marks],
        unknown=outlet.reason(ran.unknown),
    )


def _safe_refused(refused: list[Refusal]) -> list[Refusal]:
    return [replace(one, detail=outlet.told(one.detail)) for one in refused]


def _safe_part(name: str, part: Any) -> Any:
    if name == "variables" and type(part) is dict:
        return {
            own: _secret(rule)
            if (rule := secret_name(own)) is not None
            else outlet.values({own: value})[own]
            for own, value in part.items()
        }
    if name == "value":
        return outlet.values({name: part})[name]
    if type(part) is str:
        return outlet.message(part) if name in _OURS else outlet.told(part)
    if type(part) is list:
        return [_safe_part(name, one) for one in part]
    if type(part) is dict:
        return {inner: _safe_part(inner, one) for inner, one in part.items()}
    return part


def _secret(rule: str) -> Value:
    return {"type": "?", "omitted": Omission.REDACTED, "rule": rule}
