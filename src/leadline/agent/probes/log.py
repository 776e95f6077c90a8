"""The log probe: values of the template's expressions at a line, and the text made of them.

On the application's thread only the values are captured; the text is put together later, on
the sender's.
"""

import json
from collections.abc import Callable

from leadline.agent.capture.frame import Scope
from leadline.agent.capture.tree import MAX_VALUE_BYTES, Room, capture
from leadline.agent.core.passage import Passage
from leadline.expression import (
    Redacted,
    Template,
    Unknown,
    compile_condition,
    compile_template,
)
from leadline.wire.probe import LogProbe
from leadline.wire.value import Omission, Value

_write = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode
"""Sees only data that `capture` made, so it runs no code of the application."""


MAX_REASON_CHARS = 300
"""A reason is one sentence, but the names in it are the application's and can be long."""


class CompiledLog:
    """A log probe that is ready to be armed: `passage` is what the core takes."""

    def __init__(self, probe: LogProbe) -> None:
        """Raises `ExpressionError` when the template or the condition is not allowed."""
        self.probe = probe
        self.template: Template = compile_template(probe.template)
        condition = compile_condition(probe.condition) if probe.condition else None
        self.names = self.template.names | (condition.names if condition else frozenset())
        self.passage = Passage(
            probe=probe.id,
            holds=condition.holds if condition else None,
            take=self._take(),
            read=self._read,
            hits_left=probe.limits.hits,
            tokens=max(1.0, probe.limits.rate_per_s),
            burst=max(1.0, probe.limits.rate_per_s),
        )

    def _take(self) -> Callable[[Scope], bytes]:
        placeholders, limits = self.template.placeholders, self.probe.capture

        def take(scope: Scope) -> bytes:
            values: list[Value] = []
            room = Room(MAX_VALUE_BYTES)
            for placeholder in placeholders:
                try:
                    value = placeholder.evaluate(scope, more=bool(values))
                    values.append(capture(value, limits, room))
                except Redacted as secret:
                    values.append(
                        {"type": "?", "omitted": Omission.REDACTED, "rule": secret.rule}
                    )
                except Unknown as unknown:
                    reason = room.text(unknown.reason[:MAX_REASON_CHARS])
                    values.append({"type": "?", "omitted": Omission.UNKNOWN, "rule": reason})
            return _write(values).encode("ascii")

        return take

    def _read(self, payload: bytes) -> tuple[str, dict[str, Value]]:
        """Return the text of a captured hit, and its values by expression."""
        values = json.loads(payload)
        names = [placeholder.text for placeholder in self.template.placeholders]
        return self.template.render(values), dict(zip(names, values, strict=True))
