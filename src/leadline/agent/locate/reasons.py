"""Why a line cannot be probed, or nothing arrives from it, said so that a person can act.

All of it reads files and takes its time: for our own threads only.
"""

import _ast as ast
import os
import re
import sys
from collections.abc import Iterable, Sequence
from types import CodeType

from leadline.agent.locate.files import (
    NEAREST,
    File,
    alike,
    import_roots,
    nearest,
    nearest_names,
)
from leadline.agent.locate.lines import executable_lines
from leadline.agent.locate.modules import loaded_files
from leadline.agent.locate.outline import Logical, logical_lines
from leadline.agent.locate.place import covers
from leadline.agent.locate.running import is_source_of
from leadline.agent.locate.text import Text, text_of
from leadline.wire.errors import UsageError

MAX_LINES = 20_000
"""Lines of a module that are gone through to find one statement in it."""
MAX_PARSED_CHARS = 16_000
"""The parser holds every thread up, some 5 ms for as much: no longer than the interpreter
lets one thread run anyway. A longer statement is not looked at."""
MAX_ENTRIES = 2_000
"""Entries of one folder looked at for a file of a similar name."""

_WORDS = (
    (re.compile(r"(#)"), "a comment"),
    (re.compile(r"(@)"), "a decorator, whose function was not found"),
    (re.compile(r"(else|try|finally)\s*:"), "only `{}:`, which has no code of its own"),
    (re.compile(r"(pass|global|nonlocal)\b"), "`{}`, which leaves no code behind"),
)
_CONTINUES = re.compile(r"(elif|else|except|finally|case)\b")
_WARNS = re.compile(r"(?<!\w)\d[\w.]*?(?:and|else|for|if|in|is|or|not)\b|\\N")
"""A number that runs into a word makes the parser warn, in the application's name; a named
character could be an unknown escape."""
_ESCAPE = re.compile(r"\\([^\\'\"\n])|\\[\\'\"\n]")


def why_not(codes: Sequence[CodeType], line: int) -> UsageError:
    """Return why no code of a loaded file begins on `line`, with the nearest lines that do."""
    text = text_of(codes[0].co_filename)
    around = [code for code in codes if covers(code, line)]
    inner = max(around, key=lambda code: code.co_firstlineno, default=None)
    hint = _nearest_lines(codes, line)
    if text is None:
        what = "it is blank, a comment, or the rest of another statement"
        return _error(f"Line {line} has no code of its own: {what}.", hint)
    if line > len(text.lines) - (text.lines[-1] == ""):
        count = len(text.lines) - (text.lines[-1] == "")
        return _error(f"Line {line} is beyond the end: the file has {count} lines.", hint)
    if inner is not None and not is_source_of(inner, text):
        changed = "the file on disk has changed since it was loaded"
        return _error(
            f"Line {line} has no code of its own in what is running; {changed}.", hint
        )
    return _error(_what(text, line, inner), hint)


def _what(text: Text, line: int, inner: CodeType | None) -> str:
    word = text.at(line).strip()
    first = inner.co_firstlineno if inner is not None else 1
    statement = _statement(text, first, line)
    return f"Line {line} {_is(word, line, statement, loaded=inner is not None)}."


def silent(text: Text, lines: Iterable[int], loaded: frozenset[int]) -> dict[str, list[int]]:
    """Return why no code begins on each of `lines`, as what follows the word line; blank ones
    are left out. `loaded` are the lines of functions that are."""
    statements: dict[int, Logical] = {}
    if len(text.lines) <= MAX_LINES:
        for one in logical_lines(text.lines, 1):
            statements |= dict.fromkeys(range(one.first, one.last + 1), one)
    found: dict[str, list[int]] = {}
    for line in lines:
        word, statement = text.at(line).strip(), statements.get(line)
        if word or statement is not None:
            told = _is(word, line, statement, loaded=line in loaded)
            found.setdefault(told, []).append(line)
    return found


def _is(word: str, line: int, statement: Logical | None, *, loaded: bool) -> str:
    if statement is not None and statement.text.startswith(("'", '"')) and loaded:
        return "is in a docstring, or in a text that is not used"
    if statement is not None and statement.first < line:
        return f"is part of the statement that begins at line {statement.first}"
    if not word:
        return "is blank"
    for begins, what in _WORDS:
        if found := begins.match(word):
            return f"is {what.format(found[1])}"
    if not loaded:
        return (
            "is in no function that is loaded; code at a module's own level runs once, when it "
            "is imported"
        )
    return "has no code of its own: the compiler has joined it with another line"


def _statement(text: Text, first: int, line: int) -> Logical | None:
    if len(text.lines) > MAX_LINES:
        return None
    for one in logical_lines(text.lines, first):
        if one.first <= line <= one.last:
            return one
        if one.first > line:
            break
    return None


def _nearest_lines(codes: Sequence[CodeType], line: int) -> str:
    lines = sorted(set().union(*(executable_lines(code) for code in codes)))
    close = [other for other in lines if other < line][-1:]
    close += [other for other in lines if other > line][:1]
    return (
        f"The nearest lines that can be probed: {', '.join(map(str, close))}." if close else ""
    )


def _error(message: str, hint: str) -> UsageError:
    return UsageError("line-not-executable", message, hint)


def why_absent(file: File) -> str:
    """Return why no code of `file` is loaded: not imported, broken, or no such file."""
    if file.path and os.path.isfile(file.path):
        broken = syntax_error(file.path)
        return broken or f"{file.path} is not imported yet in this process"
    if file.path:
        close = nearest(file.path, _siblings(file.path))
        return f"there is no file {file.path}{_or(close)}"
    known = list(loaded_files())
    close = nearest(file.suffix, [*known, *_importable(file.suffix)])
    return f"no loaded file ends with {file.suffix}{_or(close)}"


def why_no_module(name: str, file: File) -> str:
    """Return why no module is loaded under `name`, whose code would be in `file`."""
    if file.path and os.path.isfile(file.path):
        broken = syntax_error(file.path)
        return broken or f"{name} is not imported yet in this process ({file.path})"
    names = [known for known in list(sys.modules) if type(known) is str]
    path = name.replace(".", "/")
    folder = os.path.dirname(path)
    inside = [os.path.splitext(found)[0] for found in _importable(f"{path}.py")]
    names += [
        ".".join(filter(None, (folder.replace("/", "."), os.path.basename(found))))
        for found in inside
    ]
    return f"no module {name} is imported{_or(nearest_names(name, dict.fromkeys(names)))}"


def _or(close: Sequence[str]) -> str:
    return f"; nearest: {', '.join(close)}" if close else ""


def _importable(suffix: str) -> list[str]:
    """Return Python files, not loaded perhaps, in the folder where `suffix` would be."""
    return [
        found
        for root in import_roots()
        for found in _siblings(os.path.join(root or os.getcwd(), suffix))
    ]


def _siblings(path: str) -> list[str]:
    """Return Python files, and packages, beside `path` with a name like its own."""
    folder, base = os.path.split(path)
    found = []
    try:
        with os.scandir(folder) as entries:
            for count, entry in enumerate(entries):
                if count >= MAX_ENTRIES:
                    break
                if entry.name.endswith(".py") and alike(base, entry.name) > 0:
                    found.append(entry.path)
    except OSError:
        return []
    return sorted(found, key=lambda one: -alike(base, os.path.basename(one)))[: 3 * NEAREST]


def syntax_error(path: str) -> str:
    """Return what keeps a file from being imported, or nothing. Takes one statement of the
    module's own level at a time, without escapes, so that the parser warns of nothing."""
    text = text_of(path)
    if text is None or len(text.lines) > MAX_LINES:
        return ""
    for first, last in _chunks(text):
        lines = "\n".join(text.lines[first - 1 : last])
        chunk = _ESCAPE.sub(lambda one: f"/{one[1]}" if one[1] else one[0], lines)
        if len(chunk) > MAX_PARSED_CHARS or _WARNS.search(chunk):
            continue
        try:
            compile(chunk, path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
        except SyntaxError as error:
            line = first - 1 + (error.lineno or 1)
            return f"{path} cannot be imported: line {line} is not Python ({error.msg})"
        except (ValueError, RecursionError, MemoryError):
            continue
    return ""


def _chunks(text: Text) -> Iterable[tuple[int, int]]:
    """Yield the first and last line of each statement at the module's own level."""
    first = last = 0
    decorated = False
    for one in logical_lines(text.lines, 1):
        if first and (one.indent or decorated or _CONTINUES.match(one.text)):
            last = one.last
        else:
            if first:
                yield first, last
            first, last = one.first, one.last
        decorated = one.indent == 0 and one.text.startswith("@")
    if first:
        yield first, last
