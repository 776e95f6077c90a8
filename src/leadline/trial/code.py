"""Python that somebody wrote to be run in a twin: compiled, all of it, before any of it runs.

What is wrong with it is told with its line and a caret, by the command line and by the server
as well: in a live process nothing is compiled here, since that tells the audit hooks.
"""

import _ast as ast
import warnings
from types import CodeType

from leadline.wire.errors import UsageError
from leadline.wire.redaction import secret_name
from leadline.wire.struct import dataclass
from leadline.wire.twin import MAX_CODE_CHARS

_ONLY_TREE = 0x400
"""`ast.PyCF_ONLY_AST`."""
_AWAITS = 0x2000
"""`ast.PyCF_ALLOW_TOP_LEVEL_AWAIT`."""
_MAX_SHOWN = 100
"""Characters of a line that are shown around the place that is wrong."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """Statements, and the expression at the end whose value is the answer; either may be
    missing, and each may be a coroutine's code. `declared` are the names that a `global` at
    the top says are the module's."""

    statements: CodeType | None
    expression: CodeType | None
    declared: tuple[str, ...] = ()
    secret: str | None = None
    """The rule by which the answer is a secret: what is asked for is called so."""


def check(code: str) -> None:
    """Raise `UsageError` (`bad-code`) where `code` is no Python that can be run by itself."""
    _compiled(code, "<code>")


def compiled(code: str, name: str) -> Compiled:
    """Compile `code`, whose frames will say that they are of the file `name`.

    Raises `UsageError` as `check` does.
    """
    with warnings.catch_warnings():  # the application may have made errors of them
        warnings.simplefilter("ignore")
        return _compiled(code, name)


def _compiled(code: str, name: str) -> Compiled:
    if len(code) > MAX_CODE_CHARS:
        raise UsageError("bad-code", f"Code has at most {MAX_CODE_CHARS:,} characters.")
    text = code.strip(" \t\r\n") if "\n" not in code.strip() else code.rstrip()
    if not text.strip():
        raise UsageError("bad-code", "There is no code: write an expression or a statement.")
    try:
        return _split(text, name)
    except SyntaxError as error:
        raise UsageError("bad-code", *_pointed(error, text)) from None
    except (ValueError, OverflowError) as error:  # a lone surrogate, a number without an end
        raise UsageError("bad-code", f"The code cannot be compiled: {error}.") from None
    except (MemoryError, RecursionError):
        raise UsageError("bad-code", "The code is nested too deeply to be compiled.") from None


def _split(text: str, name: str) -> Compiled:
    body = compile(text, name, "exec", _ONLY_TREE | _AWAITS, dont_inherit=True).body
    last = body[-1] if body and isinstance(body[-1], ast.Expr) else None
    rest = body[:-1] if last is not None else body
    # all of it once more as it stands: `return` or `break` in the wrong place shows only here
    compile(text, name, "exec", _AWAITS, dont_inherit=True)
    return Compiled(
        _code(ast.Module(rest, []), name, "exec") if rest else None,
        _code(ast.Expression(last.value), name, "eval") if last is not None else None,
        tuple(named for one in rest if isinstance(one, ast.Global) for named in one.names),
        None if last is None else _secret(last.value),
    )


def _secret(link: ast.expr) -> str | None:
    """Return the rule that a name, an attribute or an item with a constant key falls under;
    what lies inside a secret is as secret."""
    while True:
        match link:
            case ast.Name(id=name):
                return secret_name(name)
            case ast.Attribute(value=inner, attr=name):
                rule = secret_name(name)
            case ast.Subscript(value=inner, slice=ast.Constant(value=str(name))):
                rule = secret_name(name)
            case ast.Subscript(value=inner):
                rule = None
            case ast.NamedExpr(value=inner):
                rule = None
            case _:
                return None
        if rule is not None:
            return rule
        link = inner


def _code(tree: ast.Module | ast.Expression, name: str, mode: str) -> CodeType:
    return compile(tree, name, mode, _AWAITS, dont_inherit=True)  # type: ignore[no-any-return]


def _pointed(error: SyntaxError, text: str) -> tuple[str, str]:
    """Return the sentence, and below it the line with a caret."""
    lines = text.splitlines()
    number = error.lineno or 1
    sentence = f"Line {number} cannot be compiled: {error.msg}."
    if not 1 <= number <= len(lines) or error.text is None:
        return sentence, ""
    line = lines[number - 1]
    at = min(max((error.offset or 1) - 1, 0), len(line))
    first = max(0, at - _MAX_SHOWN // 2)
    shown = "".join(c if c.isprintable() else " " for c in line[first : first + _MAX_SHOWN])
    return sentence, f"    {shown}\n    {' ' * (at - first)}^"
