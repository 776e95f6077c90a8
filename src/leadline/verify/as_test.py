"""The text of one test: a real call made again, without any part of Leadline."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from leadline.trial.outcome import UNSHOWN
from leadline.trial.place import OPENED, WRITTEN
from leadline.verify.assertions import GIVEN_OUT
from leadline.verify.checks import differing, failing
from leadline.verify.comparison import Compared
from leadline.verify.literals import NotLiteral, Source, arguments_source
from leadline.verify.requests import is_answered, is_wsgi, response_lines
from leadline.verify.state import moved_database
from leadline.verify.writable import forms, is_whole, left_out
from leadline.wire.call import CallKind
from leadline.wire.gateway import ASKED
from leadline.wire.kept import CONTEXT
from leadline.wire.struct import dataclass

_SURROUNDED = (
    "a call that has context variables, such as a request, and is not known to come to the "
    "same with what can be written of them"
)
MARK = "captured by Leadline"
"""In the first line of each test."""
_AT_HIT = "a call of which nothing was kept: it was tried at its hit"
_EVERY = f"_all_of(call(), {GIVEN_OUT}, turns, most)"
_BOUND = {"classmethod", "staticmethod"}


@dataclass(frozen=True, slots=True)
class Program:
    """What a test has to know of the service: `main` is the name under which the program
    itself can be imported, and `first` are modules that are imported before all others."""

    main: str = ""
    first: Sequence[str] = ()


NO_PROGRAM = Program()


def source_of(
    entry: str, one: Compared, fails: str, expect: str, program: Program = NO_PROGRAM
) -> str:
    """Return the text of one test. Raises `NotLiteral` where it cannot be written down."""
    main = program.main
    module, _, qualname = entry.partition(":")
    module = main if main and module == "__main__" else module
    document = _written(one)
    is_request = is_answered(document)
    if ASKED in document["roots"] and is_request:
        raise NotLiteral(f"a request with a parameter of the name {ASKED}")
    try:
        made = arguments_source(document, main=main)
    except RecursionError:
        raise NotLiteral("arguments that lead too deep") from None
    names = [name for name in document["roots"] if name != CONTEXT]
    run, turns = _run(one), _turns(one, main)
    is_decorated = _is_decorated(one)
    name = qualname.rpartition(".")[2]
    outer = f"{module}.{qualname}"
    if is_decorated:
        outer = f"_beneath({outer}, {name!r})"
    imports: set[str] = set()
    if one.case.failed:
        checks = failing(fails, expect, run, names, is_request=is_request)
    else:
        checks, imports = differing(one, run)
    standard = {"inspect", *imports, *(["asyncio"] if "asyncio." in run else [])}
    standard |= {"asyncio", "json"} if made.is_served else set()
    standard |= {"contextvars"} if CONTEXT in made.roots else set()
    database = asked_database(one)
    standard |= {"contextlib", "os", "sqlite3", "urllib.parse"} if database else set()
    others = {f"import {module}", *made.imports, *turns.imports}
    head = "failed in production" if one.case.failed else "is right as it is"
    lines = [
        *_head(f"A real call of {module}:{qualname} that {head}, {MARK}.", database),
        "",
        *(f"import {name}" for name in sorted(standard)),
        "",
        *(["import pytest", ""] if any("pytest." in line for line in checks) else []),
        *(f"import {name}" for name in program.first),
        *sorted(others - {f"import {name}" for name in [*standard, *program.first]}),
        *_helpers(
            [*made.helpers, *turns.helpers, *([_ON_COPIES] if database else [])],
            made.is_served,
            is_decorated,
            run,
        ),
        *_begin(one.call.number, CONTEXT in made.roots, bool(database)),
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


def _turns(one: Compared, main: str) -> Source:
    """Return the source of what the caller of a generator did beside asking for the next."""
    found = Source()
    a = "a" if one.call.kind == CallKind.ASYNC_GENERATOR else ""
    for at, turn in enumerate(one.call.turns, 1):
        sent = ""
        if turn["kept"] is not None:
            made = arguments_source(turn["kept"], f"sent_{at}", main)
            found.imports.extend(made.imports)
            found.helpers.extend(made.helpers)
            found.lines.extend(made.lines)
            sent = f"{made.roots['sent']},"
        found.roots[str(turn["after"])] = f"({f'{a}{turn["kind"]}'!r}, ({sent}))"
    return found


def _written(one: Compared) -> dict[str, Any]:
    """Return what a test holds of a call. Raises `NotLiteral`."""
    if one.written is not None and one.written.document is not None:
        return one.written.document
    if one.call.document is None:
        raise NotLiteral(one.call.obstacle or _AT_HIT)
    if is_whole(one.call):
        return one.call.document
    lacking = left_out(one.call)
    if one.call.is_surrounded:
        raise NotLiteral(f"{_SURROUNDED}: without {lacking}" if lacking else _SURROUNDED)
    for form in forms(one.call):
        try:
            arguments_source(form.document or {})
        except NotLiteral as why:  # no part of it can be left out
            raise NotLiteral(lacking or str(why)) from None
    if is_answered(one.call.document):
        raise NotLiteral("a request that comes to something else with what a test has of it")
    raise NotLiteral(
        f"a call that needs {lacking}" if lacking else "a call that leads too deep"
    )


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


def asked_database(one: Compared) -> str:
    """Return the database that a call asks. Raises `NotLiteral` where a test would write to
    that itself."""
    runs = [run for run in (one.control, one.candidate) if run is not None]
    writes = any(name.endswith(WRITTEN) for run in runs for name in run.state)
    if writes and any(OPENED in run.state for run in runs):
        raise NotLiteral("a call that writes to a database which its program has open")
    return moved_database(runs)


def _head(said: str, database: str) -> list[str]:
    if not database:
        return [f'"""{said}"""']
    return [
        f'"""{said}',
        "",
        f"It asks {_plainly(database)} as that is when the test runs. What it writes goes to a",
        'copy.', '"""',
    ]  # fmt: skip


def _plainly(text: str) -> str:
    """Return a text that can stand in a docstring."""
    return re.sub(r"[^\w./ -]", "?", text)


def _begin(number: int, is_surrounded: bool, asks: bool) -> list[str]:
    """Return the lines that a test begins with: context variables are its own, and so are the
    databases."""
    begin = ["", "", f"def test_call_{number}({'monkeypatch, tmp_path' if asks else ''}):"]
    begin += ["    _on_copies(monkeypatch, tmp_path)"] if asks else []
    if not is_surrounded:
        return begin
    return [
        *begin,
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


def _is_decorated(one: Compared) -> bool:
    """Tell whether callers meet something else than the function that was called."""
    for name, held in (one.control.inside if one.control is not None else {}).items():
        if name.startswith(f"{UNSHOWN}decorators of ") and isinstance(held, dict):
            kinds = held.get("items", [{}])[0]
            names = kinds.get("items", []) if isinstance(kinds, dict) else []
            return not all(name in _BOUND for name in names)
    return False


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
_ON_COPIES = '''def _on_copies(monkeypatch, folder):
    """Have SQLite open copies: a test writes to no file of the application."""
    really, copies = sqlite3.connect, {}

    def connect(database, *args, **kwargs):
        name = os.fsdecode(database)
        if name.startswith("file:"):
            name = urllib.parse.unquote(urllib.parse.urlsplit(name).path)
        if name in ("", ":memory:"):
            return really(database, *args, **kwargs)
        if name not in copies:
            copies[name] = str(folder / f"{len(copies)}.db")
            with contextlib.closing(really(copies[name])) as copy:
                if os.path.isfile(name):
                    with contextlib.closing(really(name)) as source:
                        source.backup(copy)
        return really(copies[name], *args, **kwargs)

    monkeypatch.setattr(sqlite3, "connect", connect)
    monkeypatch.setattr(sqlite3.dbapi2, "connect", connect)'''
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
