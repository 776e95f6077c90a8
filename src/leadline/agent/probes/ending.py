"""What is seen of a captured call where it ends: the answer to its predicate, and its
parameters as they are then."""

from typing import Any

from leadline import native
from leadline.agent.capture.frame import Scope, scope_of
from leadline.agent.capture.outcomes import OUTCOME_LIMITS, Written, writer
from leadline.agent.capture.room import Room
from leadline.agent.core.passage import Visit
from leadline.agent.core.program import program
from leadline.agent.probes.listening import Listened
from leadline.expression import Unknown
from leadline.expression.predicate import Predicate
from leadline.trial.calls import parameters
from leadline.wire.gateway import ASKED
from leadline.wire.redaction import secret_name
from leadline.wire.value import Omission

REQUEST_BYTES = 8_000
"""Of the request of a web application, at its end."""


class Question:
    """What is asked of each call, if anything is."""

    def __init__(self, fails: Predicate | None) -> None:
        self._fails = fails
        core, quick = native.core(), fails is not None and not fails.raises
        self._core = core
        self._program: Any = None
        if core is not None and quick and fails is not None:
            self._program = program(core, fails.condition.node)

    def answer(
        self, visit: Visit, listened: Listened | None, returned: bool, value: object
    ) -> tuple[bool | None, str]:
        """Return the answer for a call that returned the value, or raised it, or why there is
        none."""
        if self._fails is None:
            return None, ""
        if self._program is not None and self._core is not None and returned and not listened:
            holds: bool | None = self._core.answer(self._program, visit.frame, value)
            if holds is not None:
                return holds, ""
        return self._asked(_scope(visit, listened, returned), returned, value)

    def answer_without(self, error: BaseException) -> tuple[bool | None, str]:
        """As above, of a generator that is gone, and with it its variables."""
        return self._asked(_nothing_there, False, error)

    def _asked(self, scope: Scope, returned: bool, value: object) -> tuple[bool | None, str]:
        if self._fails is None:
            return None, ""
        try:
            return self._fails.holds(scope, returned, value), ""
        except Unknown as unknown:
            return None, unknown.reason


def _scope(visit: Visit, listened: Listened | None, returned: bool) -> Scope:
    """Return the names of a call at its end; of a web application's, also its response."""
    scope = visit.scope
    code = visit.site.code
    if listened is None or code is None or ASKED in parameters(code):
        return scope
    response = listened.asked(returned)
    return lambda name: response if name == ASKED else scope(name)


def _nothing_there(name: str) -> object:
    raise Unknown(f"{name} is gone with its generator")


def at_end(visit: Visit, room: Room, listened: Listened | None) -> dict[str, Written]:
    """Take the parameters that the function has not deleted; of a web application only the
    request: it is known by its response, and is a large object itself."""
    core, limits = native.core(), OUTCOME_LIMITS
    if core is not None and listened is None:
        shown: dict[str, Written]
        shown, room.left = core.parameters_shown(
            visit.frame, limits, limits.depth, limits.items, limits.text, room.left
        )
        return shown
    written = writer(room if listened is None else Room(REQUEST_BYTES))
    found: dict[str, Written] = {}
    for name, value in arguments_of(visit):
        if listened is not None and name != listened.name:
            continue
        rule = secret_name(name)
        found[name] = (
            written(value)
            if rule is None
            else {"type": "?", "omitted": Omission.REDACTED, "rule": rule}
        )
    return found


def arguments_of(visit: Visit) -> list[tuple[str, object]]:
    """Return the parameters that have a value, whatever else is called like one of them."""
    core = native.core()
    if core is not None:
        return core.parameters_of(visit.frame)  # type: ignore[no-any-return]
    named: list[tuple[str, object]] = []
    if (code := visit.site.code) is not None:
        read = scope_of(visit.frame, code, visit.site.variables)
        for name in parameters(code):
            try:
                named.append((name, read(name)))
            except Unknown:  # the function has deleted it
                continue
    return named
