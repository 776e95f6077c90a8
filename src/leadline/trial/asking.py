"""Ask a frame: expressions and statements, evaluated with its variables in sight.

Each sees the locals over the globals as one namespace, so that lambdas, comprehensions and
generator expressions see them as well; names that a statement binds are there for the next.
Code of the application runs, whatever it does: what comes out is what it came to.
"""

import sys
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any

from leadline.expression.layout import layout_of
from leadline.trial.code import Compiled, compiled
from leadline.trial.failure import told
from leadline.trial.greenlets import StandingGreenlets
from leadline.trial.loops import StandsStill, drive
from leadline.trial.printed import Printed
from leadline.trial.showing import Refusals, Shown, seen, since, within
from leadline.wire.errors import LeadlineError
from leadline.wire.struct import dataclass
from leadline.wire.twin import MAX_ANSWER_BYTES, Said
from leadline.wire.value import Omission, Value

_STACK_ROOM = 500
"""Frames that asked code, and we, may take where the application was deep in a recursion."""
AWAIT_S = 4.0
"""How long an `await` may take if nothing is said: a twin that is asked lives for 6 s."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one piece of code came to, with the object itself."""

    returned: bool
    value: object
    printed: str
    error: BaseException | None
    raised: str
    secret: str | None = None
    """The rule by which the object is held back."""


def ask(
    frame: FrameType,
    code: Sequence[str],
    shown: Shown,
    refusals: Refusals,
    within_s: float = AWAIT_S,
) -> list[Said]:
    """Return what each of `code` comes to in `frame`; see `asked`."""
    return list(asked(frame, code, shown, refusals, within_s))


def asked(
    frame: FrameType,
    code: Sequence[str],
    shown: Shown,
    refusals: Refusals,
    within_s: float = AWAIT_S,
) -> Iterator[Said]:
    """Yield what each of `code` comes to, as soon as it has: the next may end the twin.

    `within_s` limits each `await`. Where one of them cannot be compiled nothing is run at all,
    and that one says so.
    """
    names = [f"<code {number}>" for number in range(1, len(code) + 1)]
    parts: list[Compiled] = []
    for text, name in zip(code, names, strict=True):
        try:
            parts.append(compiled(text, name))
        except LeadlineError as error:
            yield Said(text, raised=f"{error}")
            return
    namespace = visible(frame)
    deepen()
    before = refusals()
    left = MAX_ANSWER_BYTES // 2
    for text, name, part in zip(code, names, parts, strict=True):
        answer = evaluate(part, name, namespace, within_s)
        declare(part, namespace, frame)
        value = shown_answer(shown, answer) if answer.returned else None
        value, left = within(value, left)
        now = refusals()
        yield Said(
            code=text,
            returned=answer.returned,
            value=value,
            printed=answer.printed,
            raised=answer.raised,
            refused=since(before, now),
        )
        before = now


def shown_answer(shown: Shown, answer: Answer) -> Value:
    """Return what an expression came to as it goes out; nothing of what is called a secret."""
    if answer.secret is not None:
        name = layout_of(type(answer.value)).name
        return {"type": name, "omitted": Omission.REDACTED, "rule": answer.secret}
    return seen(shown, answer.value)


def deepen() -> None:
    """Make room on the stack for what is asked, however deep the application was."""
    sys.setrecursionlimit(sys.getrecursionlimit() + _STACK_ROOM)


def visible(frame: FrameType) -> dict[str, Any]:
    """Return a namespace of its own: the variables of a frame over those of its module."""
    return {**frame.f_globals, **locals_of(frame)}


def locals_of(frame: FrameType) -> dict[str, Any]:
    """Return the variables of a frame; none, where a class keeps them in something odd."""
    try:
        return dict(frame.f_locals)
    except Exception:  # noqa: BLE001 - what a `__prepare__` has returned
        return {}


def declare(part: Compiled, namespace: dict[str, Any], frame: FrameType) -> None:
    """Put what code declared `global` into the module of the frame."""
    for name in part.declared:
        if name in namespace:
            frame.f_globals[name] = namespace[name]


def evaluate(
    part: Compiled, name: str, namespace: dict[str, Any], within_s: float = AWAIT_S
) -> Answer:
    """Run one piece of code in `namespace`, which has the names that it binds afterwards."""
    with Printed() as printed, StandingGreenlets():
        try:
            if part.statements is not None:
                _run(part.statements, namespace, within_s)
            if part.expression is None:
                return Answer(False, None, printed.text(), None, "")
            value = _run(part.expression, namespace, within_s)
        except StandsStill as still:
            return Answer(False, None, printed.text(), still, f"{still}")
        except BaseException as error:  # noqa: BLE001 - SystemExit as well: it is told
            return Answer(False, None, printed.text(), error, told(error, name))
    return Answer(True, value, printed.text(), None, "", part.secret)


_CO_COROUTINE = 0x80


def _run(code: Any, namespace: dict[str, Any], within_s: float) -> object:
    value = eval(code, namespace)  # noqa: S307 - that is what was asked for
    if code.co_flags & _CO_COROUTINE:
        return drive(value, within_s)
    return value
