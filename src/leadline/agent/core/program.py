"""From the tree of an expression to what the native core evaluates.

The core answers over exact builtin values; whatever else an expression meets, it is evaluated
once more by `expression`, so nothing here needs to be complete.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from leadline.expression.layout import layout_of
from leadline.expression.tree import (
    Affix,
    And,
    Arithmetic,
    Attribute,
    Compare,
    Comparison,
    HasAffix,
    IsInstance,
    Item,
    Length,
    Literal,
    Name,
    Negative,
    Node,
    Not,
    Operator,
    Or,
    Slice,
    names_in,
)

_NAME, _ATTRIBUTE, _ITEM, _LITERAL, _COMPARE, _AND, _OR, _NOT, _NEGATIVE = range(9)
_ARITHMETIC, _LENGTH, _IS_INSTANCE, _STARTS, _ENDS = range(9, 14)
"""The operations, in the order of `program.c`; so are the comparisons and operators."""
_COMPARISONS = {one: number for number, one in enumerate(Comparison)}
_OPERATORS = {one: number for number, one in enumerate(Operator)}

type _Tree = tuple[int, int, object, tuple[Any, ...]]


class _NotHere(Exception):  # noqa: N818 - an answer, not a failure
    """An expression with a part that the native core does not know."""


def program(core: ModuleType, node: Node | None) -> Any:
    """Return the `Program` for `node`, or None where Python has to evaluate it."""
    if node is None:
        return None
    names = tuple(sorted(names_in(node)))
    try:
        return core.Program(_tree(node, names), names)
    except _NotHere:
        return None


def _tree(node: Node, names: tuple[str, ...]) -> _Tree:  # noqa: C901, PLR0911 - a closed set
    def parts(*given: Node) -> tuple[_Tree, ...]:
        return tuple(_tree(part, names) for part in given)

    match node:
        case Name(name=name):
            return (_NAME, names.index(name), names[names.index(name)], ())
        case Attribute(value=value, name=name):
            return (_ATTRIBUTE, 0, _interned(name), parts(value))
        case Item(value=value, key=key):
            return (_ITEM, 0, None, parts(value, key))
        case Literal(value=constant):
            return (_LITERAL, 0, constant, ())
        case Compare(first=first, rest=rest):
            operators = tuple(_COMPARISONS[op] for op, _ in rest)
            return (_COMPARE, 0, operators, parts(first, *(operand for _, operand in rest)))
        case And(parts=inner):
            return (_AND, 0, None, parts(*inner))
        case Or(parts=inner):
            return (_OR, 0, None, parts(*inner))
        case Not(value=value):
            return (_NOT, 0, None, parts(value))
        case Negative(value=value):
            return (_NEGATIVE, 0, None, parts(value))
        case Arithmetic(left=left, operator=operator, right=right):
            return (_ARITHMETIC, _OPERATORS[operator], None, parts(left, right))
        case Length(value=value):
            return (_LENGTH, 0, None, parts(value))
        case IsInstance(value=value, names=wanted):
            return (_IS_INSTANCE, 0, _named(wanted), parts(value))
        case HasAffix(value=value, affix=affix, text=text):
            operation = _STARTS if affix is Affix.START else _ENDS
            return (operation, 0, None, parts(value, text))
        case Slice():
            raise _NotHere


def _interned(name: str) -> str:
    from sys import intern

    return intern(name)


def _named(names: tuple[str, ...]) -> Callable[[type], bool]:
    """As `expression.evaluation` does it; the answer is kept for the class seen last."""
    ends = tuple(f".{name}" for name in names)

    def named(cls: type) -> bool:
        return any(f".{name}".endswith(ends) for name in layout_of(cls).names)

    return named
