"""What a test checks of the call that it makes: what is expected, or what the old code comes
to."""

import ast
import builtins
import re
from collections.abc import Collection

from leadline.trial.outcome import Outcome
from leadline.verify.assertions import assertion
from leadline.verify.comparison import Compared
from leadline.verify.literals import NotLiteral
from leadline.wire.gateway import ASKED, RESPONSE

_RAISES = re.compile(r"raises ([\w.]+)\Z")
_MAX_ASSERTS = 10
_ANSWERED = ("if exception is not None:", "    response.failed()")
_BUILTIN = frozenset(dir(builtins))


def failing(
    fails: str, expect: str, run: str, names: Collection[str], *, is_request: bool
) -> list[str]:
    """Return the lines that make a failing call and assert what is expected of it. `run` is the
    expression that makes it, `names` are its parameters. Raises `NotLiteral`."""
    if expected := _RAISES.match(expect.strip()):
        return _raised(expected[1], run)
    if "raises " in expect:
        raise NotLiteral(f"an expectation of that sort: {expect}")
    wanted = expect
    if not expect and fails and "raises " not in fails:
        wanted = f"not ({fails})"
    if not wanted:
        return [f"result = {run}"]
    used = _names(wanted)
    known = {"result", "exception", *names, *([ASKED] if is_request else [])}
    for name in used - known - _BUILTIN:
        raise NotLiteral(f"an expectation that names {name}, which is no parameter")
    is_answered = is_request and ASKED in used
    return [
        *(f"{name} = given[{name!r}]" for name in sorted(used & set(names))),
        *(_either(run) if is_answered or "exception" in used else [f"result = {run}"]),
        *(_ANSWERED if is_answered else []),
        f"assert {wanted}",
    ]


def _either(run: str) -> list[str]:
    """Return the lines that make both what a call came to and what left it."""
    return [
        "result = exception = None",
        "try:",
        f"    result = {run}",
        "except Exception as error:",
        "    exception = error",
    ]


def _raised(name: str, run: str, *, exactly: bool = False) -> list[str]:
    short = name.rpartition(".")[2]
    names = "[one.__name__ for one in type(caught.value).__mro__]"
    return [
        "with pytest.raises(Exception) as caught:",
        f"    {run}",
        f"assert type(caught.value).__name__ == {short!r}"
        if exactly
        else f"assert {short!r} in {names}",
    ]


def _names(expression: str) -> set[str]:
    try:
        tree = ast.parse(expression, mode="eval")
    except SyntaxError:
        raise NotLiteral(f"an expectation of that sort: {expression}") from None
    return {one.id for one in ast.walk(tree) if isinstance(one, ast.Name)}


def differing(one: Compared, run: str) -> tuple[list[str], set[str]]:
    """Return the lines that assert what the old code comes to, and what they import."""
    if one.control is None or one.candidate is None or one.control.rerun.outcome is None:
        raise NotLiteral("the control has no outcome")
    control = one.control.rerun.outcome
    if _is_broken(control):
        raise NotLiteral("a response that ends with an error")
    checks: list[str] = []
    imports: set[str] = set()
    for difference in one.differences:
        found = assertion(difference.where, one.control, one.candidate, one.noise)
        if found is not None and found.line not in checks:
            checks.append(found.line)
            imports |= set(found.imports)
        if len(checks) >= _MAX_ASSERTS:
            break
    other = any(one.where in ("outcome", "exception") for one in one.differences)
    if not checks and not other:
        raise NotLiteral("what differs cannot be written down")
    name = control.value.get("type", "") if isinstance(control.value, dict) else ""
    if control.returned or (one.call.closed and name == GeneratorExit.__name__):
        return [f"result = {run}", *checks], imports
    return [*_raised(str(name), run, exactly=True), *checks], imports


def _is_broken(outcome: Outcome) -> bool:
    """Tell whether an application has raised when it was asked for the body."""
    response = outcome.arguments.get(RESPONSE)
    return isinstance(response, dict) and "raised" in response.get("fields", {})
