"""What a candidate changes beside results: what is set outside of a call, and what decides it.

Such an effect may be there already: the live call has set the same, and in a copy of the
process that was made later, or on a database that has moved on, nobody sees whether a
candidate still does it, or lets what it finds decide. Only a twin that is made as the call
begins can tell.
"""

import ast
from collections import Counter
from collections.abc import Iterator, Sequence

from leadline.trial.candidate import Change
from leadline.trial.scopes import Function
from leadline.trial.syntax import last_of
from leadline.verify.deeds import Text

_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_TRANSACTIONS = frozenset(
    """
    with commit rollback flush begin begin_nested savepoint atomic transaction set_autocommit
    """.split()
)


def effect_of(changes: Sequence[Change], entry: str) -> str:
    """Return where a changed function, or the entry, may set something outside of itself, as
    `FILE:LINE`; nothing where none does. `entry` is `module:name`; of one in no changed file
    nothing is known."""
    is_here = False
    for change in changes:
        file = change.file.rpartition("/")[2]
        for text, lines in _sides(change, is_alone=True):
            for qualname, function in text.functions:
                is_entry = is_entry_of(change.file, qualname, entry)
                is_here |= is_entry
                is_met = is_entry or _within(function, lines)
                if is_met and (line := text.first_deed(function)):
                    return f"{file}:{line}"
    return "" if is_here else entry


def decided(change: Change) -> Iterator[tuple[bool, int]]:
    """Yield the changed lines that decide whether something is set outside, on the new side if
    True: conditions of what does, and what leaves a function before it."""
    for is_new, (text, lines) in enumerate(_sides(change)):
        for _, function in text.functions:
            fresh = text.fresh_names(function)
            for node in ast.walk(function):
                found = _deciding(text, function, node, fresh)
                yield from ((bool(is_new), line) for line in found if line in lines)


def commits_otherwise(change: Change) -> bool:
    """Tell whether the two sides of a change end their transactions otherwise: where nothing is
    left to be written, nobody sees it."""
    old, new = (_of_transactions(text.tree) for text, _ in _sides(change))
    return old != new


def _sides(change: Change, *, is_alone: bool = False) -> list[tuple[Text, frozenset[int]]]:
    """Return both texts, with the lines that are changed in each."""
    return [
        (Text(change.old, is_alone=is_alone), change.difference.old),
        (Text(change.new, is_alone=is_alone), change.difference.new),
    ]


def _within(function: Function, lines: frozenset[int]) -> bool:
    return any(function.lineno <= line <= (function.end_lineno or 0) for line in lines)


def is_entry_of(file: str, qualname: str, entry: str) -> bool:
    """Tell whether a function of a file is the entry, `module:name`."""
    module, _, name = entry.partition(":")
    path = file.removesuffix(".py").removesuffix("/__init__")
    return name == qualname and path.endswith(module.replace(".", "/"))


def _deciding(
    text: Text, function: Function, node: ast.AST, fresh: frozenset[str]
) -> Sequence[int]:
    """Return the lines of a statement that decide whether something is set."""
    if isinstance(node, _LEAVES) and _does(text, function, fresh, node.lineno):
        return [node.lineno]
    return _header(node) if _does(text, node, fresh) else ()


def _header(node: ast.AST) -> Sequence[int]:
    """Return the lines on which a statement says whether, or how often, its body runs."""
    match node:
        case ast.If(test=said) | ast.While(test=said) | ast.For(iter=said):
            pass
        case ast.AsyncFor(iter=said) | ast.Match(subject=said):
            pass
        case ast.ExceptHandler(type=ast.expr() as said):
            pass
        case _:
            return ()
    return range(node.lineno, (said.end_lineno or said.lineno) + 1)


def _does(text: Text, node: ast.AST, fresh: frozenset[str], after: int = 0) -> bool:
    """Tell whether anything within sets something outside, on a line beyond `after`."""
    return any(
        one is not node
        and isinstance(one, ast.stmt)
        and one.lineno > after
        and text.is_deed(one, fresh)
        for one in ast.walk(node)
    )


def _of_transactions(tree: ast.AST) -> Counter[str]:
    found = [last_of(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    found += ["with" for node in ast.walk(tree) if isinstance(node, ast.With | ast.AsyncWith)]
    return Counter(name for name in found if name in _TRANSACTIONS)
