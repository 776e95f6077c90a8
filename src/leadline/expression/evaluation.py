"""From a tree to a closure that evaluates it, compiled once and run at every hit."""

from collections.abc import Callable
from typing import Any

from leadline.expression import operations, reading, tree
from leadline.expression.hiding import bare, name_rule
from leadline.expression.tree import Comparison, Node
from leadline.expression.unknown import Impossible, Redacted, Unknown

type Scope = Callable[[str], object]
"""Returns the value of a variable, or raises `Unknown`."""
type Evaluator = Callable[[Scope], object]
"""Returns the value of an expression, or raises `Unknown`."""


def evaluator(node: Node) -> Evaluator:
    """Return the closure for `node`."""
    return _COMPILERS[type(node)](node)


def _name(node: tree.Name) -> Evaluator:
    name = node.name
    return lambda scope: scope(name)


def _attribute(node: tree.Attribute) -> Evaluator:
    value, name, attribute = evaluator(node.value), node.name, reading.attribute
    return lambda scope: attribute(value(scope), name)


def _item(node: tree.Item) -> Evaluator:
    value, item = evaluator(node.value), reading.item
    if isinstance(node.key, tree.Literal):
        constant = node.key.value
        return lambda scope: item(value(scope), constant)
    key = evaluator(node.key)

    def computed(scope: Scope) -> object:
        container, index = value(scope), key(scope)
        if (rule := name_rule(index)) is not None:
            raise Redacted(rule)
        try:
            return item(container, index)
        except Redacted:
            raise
        except Unknown as unknown:  # its reason would show the key, a value of the application
            kind = Impossible if isinstance(unknown, Impossible) else Unknown
        raise kind("there is nothing to read under the computed key")

    return computed


def _slice(node: tree.Slice) -> Evaluator:
    value, bounds, cut = evaluator(node.value), node.bounds, operations.cut
    return lambda scope: cut(value(scope), bounds)


def _literal(node: tree.Literal) -> Evaluator:
    value = node.value
    return lambda _: value


_COMPARED_WHOLE = frozenset(
    (Comparison.EQUAL, Comparison.UNEQUAL, Comparison.IN, Comparison.NOT_IN)
)


def _bare(node: Node) -> Evaluator:
    """Return the closure for an operand of whose items something would be told.

    What the expression itself says tells nothing, even `x in ("password", "token")`.
    """
    value = evaluator(node)
    return value if isinstance(node, tree.Literal) else lambda scope: bare(value(scope))


def _compare(node: tree.Compare) -> Evaluator:
    operators = [op for op, _ in node.rest]
    operand = _bare if _COMPARED_WHOLE.intersection(operators) else evaluator
    first = operand(node.first)
    rest = tuple((operations.comparison(op), operand(right)) for op, right in node.rest)
    if len(rest) == 1:
        ((compare, second),) = rest
        return lambda scope: compare(first(scope), second(scope))

    def chain(scope: Scope) -> bool:
        left = first(scope)
        for compare, second in rest:
            right = second(scope)
            if not compare(left, right):
                return False
            left = right
        return True

    return chain


def _and(node: tree.And) -> Evaluator:
    *parts, last = map(evaluator, node.parts)

    def both(scope: Scope) -> object:
        for part in parts:
            value = part(scope)
            if not operations.truth(value):
                return value
        return last(scope)

    return both


def _or(node: tree.Or) -> Evaluator:
    *parts, last = map(evaluator, node.parts)

    def either(scope: Scope) -> object:
        for part in parts:
            value = part(scope)
            if operations.truth(value):
                return value
        return last(scope)

    return either


def _not(node: tree.Not) -> Evaluator:
    value = evaluator(node.value)
    return lambda scope: not operations.truth(value(scope))


def _negative(node: tree.Negative) -> Evaluator:
    value = evaluator(node.value)
    return lambda scope: operations.negative(value(scope))


def _arithmetic(node: tree.Arithmetic) -> Evaluator:
    left, right = evaluator(node.left), evaluator(node.right)
    compute = operations.arithmetic(node.operator)
    return lambda scope: compute(left(scope), right(scope))


def _length(node: tree.Length) -> Evaluator:
    value = evaluator(node.value)
    return lambda scope: reading.length(value(scope))


def _is_instance(node: tree.IsInstance) -> Evaluator:
    value = evaluator(node.value)
    ends = tuple(f".{name}" for name in node.names)

    def named(scope: Scope) -> bool:
        names = reading.type_names(value(scope))
        return any(f".{name}".endswith(ends) for name in names)

    return named


def _has_affix(node: tree.HasAffix) -> Evaluator:
    value, text, affix = evaluator(node.value), _bare(node.text), node.affix
    return lambda scope: operations.has_affix(affix, value(scope), text(scope))


_COMPILERS: dict[type, Callable[[Any], Evaluator]] = {
    tree.Name: _name,
    tree.Attribute: _attribute,
    tree.Item: _item,
    tree.Slice: _slice,
    tree.Literal: _literal,
    tree.Compare: _compare,
    tree.And: _and,
    tree.Or: _or,
    tree.Not: _not,
    tree.Negative: _negative,
    tree.Arithmetic: _arithmetic,
    tree.Length: _length,
    tree.IsInstance: _is_instance,
    tree.HasAffix: _has_affix,
}
