"""The source of a loaded file as a page shows it: what may leave, and where probes can go.

Only files that some module of this process was loaded from can be asked for: a server must not
read a machine's files through an agent.
"""

import os
from collections.abc import Iterable, Iterator
from types import CodeType

from leadline.agent.capture import outlet
from leadline.agent.locate.files import File, file_of, nearest
from leadline.agent.locate.lines import executable_lines, too_large
from leadline.agent.locate.modules import (
    code_of_module,
    code_on_stacks,
    loaded_files,
    module_namespace,
    modules_of,
)
from leadline.agent.locate.outline import logical_lines
from leadline.agent.locate.reasons import silent
from leadline.agent.locate.source import blanked, mentions_secret, open_quote
from leadline.agent.locate.text import Text, text_of
from leadline.wire.errors import UsageError
from leadline.wire.inventory import (
    MAX_LINE_CHARS,
    MAX_SOURCE_CHARS,
    FunctionEntry,
    SourceText,
)

MAX_FUNCTIONS = 5_000
"""Functions of one file that are told."""
MAX_VARIABLES = 200
"""Of one function: more are not chosen from a list."""
_TOLD = 5
"""Paths that an ambiguity lists."""


class NoSuchFileError(UsageError):
    """No loaded module has such a file; `nearest` are paths that may have been meant."""

    def __init__(self, slug: str, message: str, nearest: list[str]) -> None:
        super().__init__(slug, message)
        self.nearest = nearest


def listing(wanted: str, started_at: float) -> SourceText:
    """Return the source of the one loaded file that `wanted` is the path of, or its end.

    `started_at` is when the process began, in seconds since 1970. Raises `NoSuchFileError`
    with slug `no-such-file`, `ambiguous-file`, or `no-source` for one without a text.
    """
    path = _path_of(wanted)
    text = text_of(path)
    if text is None:
        raise NoSuchFileError("no-source", f"The source of {path} cannot be read there.", [])
    codes = _codes(File(wanted, os.path.realpath(path)))
    lines = text.lines[: _fitting(text.lines)]
    shown = list(_safe(lines))
    executable = _executable(codes)
    functions = _functions(codes, text)[:MAX_FUNCTIONS]
    heads = {line for one in functions for line in range(one.first, one.head + 1)}
    others = sorted({*range(1, len(lines) + 1)} - executable - heads)
    loaded = frozenset(at for one in functions for at in range(one.first, one.last + 1))
    return SourceText(
        file=path,
        module=_module_name(path),
        lines=shown,
        masked=[at for at, (line, was) in enumerate(zip(shown, lines, strict=True), 1)
                if line != was[:MAX_LINE_CHARS]],
        executable=sorted(executable),
        functions=functions,
        changed=_changed(path, text, codes, started_at),
        omitted=len(text.lines) - len(lines),
        silent=silent(text, others, loaded),
    )  # fmt: skip


def _path_of(wanted: str) -> str:
    loaded = list(loaded_files())
    if wanted in loaded:
        return wanted
    file = file_of(wanted)
    found = sorted(
        {os.path.realpath(path): path for path in loaded if file.matches(path)}.values()
    )
    if not found:
        raise NoSuchFileError(
            "no-such-file",
            f"No module of this process was loaded from {wanted}.",
            nearest(wanted, loaded) if wanted.strip("./\\") else [],
        )
    if len(found) > 1:
        raise NoSuchFileError(
            "ambiguous-file",
            f"{len(found)} loaded files end with {wanted}: name more of the path.",
            found[:_TOLD],
        )
    return found[0]


def _module_name(path: str) -> str:
    for module in modules_of(File(path, os.path.realpath(path))):
        name = (module_namespace(module) or {}).get("__name__")
        if type(name) is str:
            return name
    return ""


def _codes(file: File) -> list[CodeType]:
    """Return each code object of the file once: of its functions, and what runs of it now."""
    found = {id(code): code for code in code_on_stacks(file)}
    for module in modules_of(file):
        found |= {id(code): code for code in code_of_module(module, file)}
    return list(found.values())


def _executable(codes: Iterable[CodeType]) -> set[int]:
    return {line for code in codes if not too_large(code) for line in executable_lines(code)}


def _functions(codes: Iterable[CodeType], text: Text) -> list[FunctionEntry]:
    """Return the functions that have a name, by their first line."""
    found: dict[tuple[int, str], int] = {}
    variables: dict[tuple[int, str], list[str]] = {}
    for code in codes:
        if code.co_name.startswith("<"):
            continue
        ends = [end for _, end, _, _ in code.co_positions() if end is not None]
        place = code.co_firstlineno, code.co_qualname
        found[place] = max([found.get(place, 0), code.co_firstlineno, *ends])
        names = dict.fromkeys((*code.co_varnames, *code.co_cellvars, *code.co_freevars))
        variables[place] = [name for name in names if name.isidentifier()][:MAX_VARIABLES]
    return [
        FunctionEntry(name, first, last, _head(text, first), variables[first, name])
        for (first, name), last in sorted(found.items())
    ]


def _head(text: Text, first: int) -> int:
    """Return the last line of the signature of a function that begins at `first`."""
    for one in logical_lines(text.lines, first):
        if not one.text.startswith("@"):
            return one.last
    return first


def _changed(path: str, text: Text, codes: Iterable[CodeType], started_at: float) -> str:
    """Return why the file may not be the one that was loaded, as one sentence, or nothing."""
    for code in codes:
        if code.co_name.isidentifier() and not _begins(text.at(code.co_firstlineno), code):
            return f"{code.co_qualname} does not begin at line {code.co_firstlineno} of it"
    try:
        newer = os.stat(path).st_mtime > started_at
    except OSError:  # in an archive, or gone
        return ""
    return "it was written after the process began" if newer else ""


def _begins(line: str, code: CodeType) -> bool:
    """Whether a function's or a class' first line can be this one."""
    return line.lstrip().startswith("@") or code.co_name.strip("_") in line


def _fitting(lines: Iterable[str]) -> int:
    """Return how many lines fit into an answer."""
    left, count = MAX_SOURCE_CHARS, 0
    for line in lines:
        left -= min(len(line), MAX_LINE_CHARS) + 1
        if left < 0:
            break
        count += 1
    return count


def _safe(lines: tuple[str, ...]) -> Iterator[str]:
    """Yield each line as it may leave the process.

    Where a line names a secret, its texts are blanked and those of the lines that still belong
    to the statement: `password = (` is followed by it.
    """
    hidden = _hidden(lines)
    opened = ""
    for number, line in enumerate(lines, 1):
        bare = blanked(line, opened)[:MAX_LINE_CHARS]
        yield bare if number in hidden else outlet.label(line[:MAX_LINE_CHARS], bare)
        opened = open_quote(f"{opened}{line}\n")


def _hidden(lines: tuple[str, ...]) -> set[int]:
    """Return the numbers of the lines whose texts are blanked."""
    hidden = {number for number, line in enumerate(lines, 1) if mentions_secret(line)}
    for one in logical_lines(lines, 1):
        first = next((at for at in range(one.first, one.last + 1) if at in hidden), None)
        if first is not None:
            hidden.update(range(first, one.last + 1))
    return hidden
