"""Failing and differing calls as tests: each a file by itself, without any part of Leadline.

A failing call becomes a test that fails on the old code and passes on the fix. A call that did
not fail, and comes out differently, becomes one that passes on the old code.
"""

import ast
import builtins
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from leadline.trial.outcome import UNSHOWN, Outcome
from leadline.verify.assertions import GIVEN_OUT, assertion
from leadline.verify.comparison import Compared
from leadline.verify.literals import NotLiteral, Source, arguments_source
from leadline.verify.requests import is_answered, is_wsgi, response_lines
from leadline.verify.verdict import Candidate
from leadline.verify.writable import forms, is_whole
from leadline.wire.call import CallKind
from leadline.wire.errors import UnavailableError
from leadline.wire.gateway import ASKED, RESPONSE
from leadline.wire.kept import CONTEXT
from leadline.wire.struct import dataclass, field

MAX_TESTS = 50
"""Of each sort: more are the same again."""
_RAISES = re.compile(r"raises ([\w.]+)\Z")
_MAX_ASSERTS = 10
_SURROUNDED = (
    "a call that has context variables, such as a request, and is not known to come to the "
    "same with what can be written of them"
)
_EVERY = f"_all_of(call(), {GIVEN_OUT}, turns, most)"


@dataclass(frozen=True, slots=True)
class Exported:
    """`files` were written; `left_out` are the numbers of calls that were not, and why."""

    files: list[str] = field(default_factory=list)
    left_out: dict[int, str] = field(default_factory=dict)


def export_tests(
    folder: str, entry: str, found: Sequence[Compared], fails: str, expect: str
) -> Exported:
    """Write the tests into `folder`, which is made. Raises `UnavailableError`
    (`tests-unwritable`)."""
    exported = Exported()
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        for one in wanted(found):
            name = f"test_{_word(entry)}_call_{one.call.number}.py"
            try:
                text = test_source(entry, one, fails, expect)
            except NotLiteral as why:
                exported.left_out[one.call.number] = str(why)
                continue
            _write(Path(folder, name), text)
            exported.files.append(name)
    except OSError as error:
        raise UnavailableError(
            "tests-unwritable", f"The tests cannot be written to {folder}: {error.strerror}."
        ) from None
    return exported


def _run(one: Compared) -> str:
    """Return the expression that makes the call, and takes all that it gives out."""
    if is_wsgi(one.call.document):
        return "response.of_wsgi(call)"
    match one.call.kind:
        case CallKind.COROUTINE:
            return "asyncio.run(call())"
        case CallKind.GENERATOR:
            return _EVERY
        case CallKind.ASYNC_GENERATOR:
            return f"asyncio.run({_EVERY})"
    return "call()"


def _turns(one: Compared) -> Source:
    """Return the source of what the caller of a generator did beside asking for the next."""
    found = Source()
    a = "a" if one.call.kind == CallKind.ASYNC_GENERATOR else ""
    for at, turn in enumerate(one.call.turns, 1):
        sent = ""
        if turn["kept"] is not None:
            made = arguments_source(turn["kept"], f"sent_{at}")
            found.imports.extend(made.imports)
            found.helpers.extend(made.helpers)
            found.lines.extend(made.lines)
            sent = f"{made.roots['sent']},"
        found.roots[str(turn["after"])] = f"({f'{a}{turn["kind"]}'!r}, ({sent}))"
    return found


def _write(file: Path, text: str) -> None:
    """Write a test as a whole, or leave what was there: on a full disk a file without tests
    would pass for one."""
    part = file.with_name(f".{file.name}.part")
    try:
        part.write_text(text, "utf-8")
        part.replace(file)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def wanted(found: Sequence[Compared]) -> Iterator[Compared]:
    """Yield the calls that become tests, where they can: some of each sort."""
    failing = [one for one in found if one.case.failed and one.case.agreed]
    differing = [
        one
        for one in found
        if one.case.failed is False
        and one.case.is_evidence
        and one.case.candidate is Candidate.DIFFERS
    ]
    yield from failing[:MAX_TESTS]
    yield from differing[:MAX_TESTS]


def test_source(entry: str, one: Compared, fails: str, expect: str) -> str:
    """Return the text of one test. Raises `NotLiteral` where it cannot be written down."""
    module, _, qualname = entry.partition(":")
    document = _written(one)
    is_request = is_answered(document)
    if ASKED in document["roots"] and is_request:
        raise NotLiteral(f"a request with a parameter of the name {ASKED}")
    try:
        made = arguments_source(document)
    except RecursionError:
        raise NotLiteral("arguments that lead too deep") from None
    names = [name for name in document["roots"] if name != CONTEXT]
    run, turns = _run(one), _turns(one)
    is_decorated = _is_decorated(one)
    name = qualname.rpartition(".")[2]
    outer = f"{module}.{qualname}"
    if is_decorated:
        outer = f"_beneath({outer}, {name!r})"
    imports: set[str] = set()
    if one.case.failed:
        checks = _failing(fails, expect, run, names, is_request=is_request)
    else:
        checks, imports = _differing(one, run)
    standard = {"inspect", *imports, *(["asyncio"] if "asyncio." in run else [])}
    standard |= {"asyncio", "json"} if made.is_served else set()
    standard |= {"contextvars"} if CONTEXT in made.roots else set()
    others = {f"import {module}", *made.imports, *turns.imports}
    head = "failed in production" if one.case.failed else "is right as it is"
    lines = [
        f'"""A real call of {module}:{qualname} that {head}, captured by Leadline."""',
        "",
        *(f"import {name}" for name in sorted(standard)),
        "",
        *(["import pytest", ""] if any("pytest." in line for line in checks) else []),
        *sorted(others - {f"import {name}" for name in standard}),
        *_helpers([*made.helpers, *turns.helpers], made.is_served, is_decorated, run),
        *_begin(one.call.number, CONTEXT in made.roots),
        *(["    response = _Response()"] if made.is_served else []),
        *(f"    {line}" for line in made.lines),
        f"    given = {{{', '.join(f'{name!r}: {made.roots[name]}' for name in names)}}}",
        *(f"    {line}" for line in _around(made)),
        f"    function = {outer}",
        "    bound = inspect.signature(function).bind_partial()",
        "    bound.arguments.update(given)",
        "",
        "    def call():",
        "        return function(*bound.args, **bound.kwargs)",
        "",
        *(f"    {line}" for line in (_driven(one, turns) if _EVERY in run else [])),
        *(f"    {line}" for line in checks),
    ]
    text = "\n".join(lines) + "\n"
    try:
        compile(text, "<test>", "exec")
    except SyntaxError as error:
        raise NotLiteral(f"what is expected is no Python: {error.msg}") from None
    return text


def _written(one: Compared) -> dict[str, Any]:
    """Return what a test holds of a call. Raises `NotLiteral`."""
    if one.written is not None and one.written.document is not None:
        return one.written.document
    if one.call.document is None:
        raise NotLiteral(one.call.obstacle)
    if is_whole(one.call):
        return one.call.document
    if one.call.is_surrounded:
        raise NotLiteral(_SURROUNDED)
    for form in forms(one.call):
        arguments_source(form.document or {})  # raises, where no part of it can be left out
    if is_answered(one.call.document):
        raise NotLiteral("a request that comes to something else with what a test has of it")
    arguments_source(one.call.document)
    raise NotLiteral("a call that leads too deep")


def _helpers(
    made: Sequence[str], is_served: bool, is_decorated: bool, run: str
) -> Iterator[str]:
    """Yield the lines of what a test has of its own, each with two empty ones before it."""
    parts = [one.splitlines() for one in dict.fromkeys(made)]
    parts += [response_lines()] if is_served else []
    parts += [_BENEATH] if is_decorated else []
    parts += [_ALL_OF if run == _EVERY else _ALL_OF_ASYNC] if _EVERY in run else []
    for part in parts:
        yield from ("", "", *part)


def _begin(number: int, is_surrounded: bool) -> list[str]:
    """Return the lines that a test begins with: context variables are its own."""
    if not is_surrounded:
        return ["", "", f"def test_call_{number}():"]
    return [
        *("", "", f"def test_call_{number}():"),
        f"    contextvars.copy_context().run(_call_{number})",
        *("", "", f"def _call_{number}():"),
    ]


def _around(made: Source) -> list[str]:
    """Return the lines that have the context variables be what they were."""
    if CONTEXT not in made.roots:
        return []
    return [
        f"for variable, value in {made.roots[CONTEXT]}.items():",
        "    variable.set(value)",
    ]


def _driven(one: Compared, turns: Source) -> list[str]:
    """Return the lines that say what is done after how much a generator has given out, and
    when it is left at the latest: it may have no end."""
    ran = (side.rerun.outcome for side in (one.control, one.candidate) if side is not None)
    most = max((len(end.yields) + end.more for end in ran if end is not None), default=0)
    steps = ", ".join(f"{after}: {what}" for after, what in turns.roots.items())
    return [*turns.lines, f"turns = {{{steps}}}", f"most = {most + 1}", f"{GIVEN_OUT} = []"]


_ALL_OF = '''def _all_of(steps, given_out, turns, most):
    """Go through a generator as its caller did; returns what it returns."""
    while len(given_out) < most:
        step, sent = turns.get(len(given_out), ("__next__", ()))
        try:
            one = getattr(steps, step)(*sent)
        except StopIteration as end:
            return end.value
        if step == "close":
            break
        given_out.append(one)
    steps.close()'''.splitlines()
_ALL_OF_ASYNC = '''async def _all_of(steps, given_out, turns, most):
    """Go through a generator as its caller did."""
    while len(given_out) < most:
        step, sent = turns.get(len(given_out), ("__anext__", ()))
        try:
            one = await getattr(steps, step)(*sent)
        except StopAsyncIteration:
            return
        if step == "aclose":
            break
        given_out.append(one)
    await steps.aclose()'''.splitlines()
_BENEATH = '''def _beneath(found, name):
    """Return the function itself: the call was made beneath its decorators."""
    waiting, met = [found], set()
    while waiting:
        one = waiting.pop(0)
        if id(one) in met:
            continue
        met.add(id(one))
        code = getattr(one, "__code__", None)
        if code is not None and code.co_name == name:
            return one
        more = ("__wrapped__", "__func__", "func", "fget", "callback")
        waiting += [getattr(one, at) for at in more if hasattr(one, at)]
        for cell in getattr(one, "__closure__", None) or ():
            try:
                waiting.append(cell.cell_contents)
            except ValueError:
                continue
    raise LookupError(f"there is no {name} beneath its decorators")'''.splitlines()
_BOUND = {"classmethod", "staticmethod"}


def _is_decorated(one: Compared) -> bool:
    """Tell whether callers meet something else than the function that was called."""
    for name, held in (one.control.inside if one.control is not None else {}).items():
        if name.startswith(f"{UNSHOWN}decorators of ") and isinstance(held, dict):
            kinds = held.get("items", [{}])[0]
            names = kinds.get("items", []) if isinstance(kinds, dict) else []
            return not all(name in _BOUND for name in names)
    return False


def _failing(
    fails: str, expect: str, run: str, names: Collection[str], *, is_request: bool
) -> list[str]:
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


_ANSWERED = ("if exception is not None:", "    response.failed()")


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


_BUILTIN = frozenset(dir(builtins))


def _differing(one: Compared, run: str) -> tuple[list[str], set[str]]:
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


def _word(entry: str) -> str:
    return re.sub(r"\W+", "_", entry).strip("_")
