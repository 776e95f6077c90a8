"""From the text of an expression to a tree of the closed set of nodes, or a pointed error.

The parser reads Python's syntax; it compiles and runs nothing. Everything it returns is then
rebuilt node by node, so that only what is named here gets through.
"""

import _ast as ast
import keyword
from collections.abc import Callable
from typing import Any

from leadline.expression import refusals, tree
from leadline.expression.pointing import ExpressionError, Source
from leadline.expression.spelling import check_spelling
from leadline.expression.tree import Node
from leadline.wire.limits import MAX_CONDITION_CHARS

MAX_NODES = 200
"""Names, operators and literals of one expression. Work is nodes times operand size."""
MAX_DEPTH = 30
"""Levels of nesting: evaluation needs a few stack frames for each, on a stranger's stack."""
MAX_INT_BITS = 1_024
"""Larger whole numbers are no quantities of anything, and arithmetic on them takes long."""
MAX_DISPLAY = 100
"""Literals in one list or tuple."""

_COMPARISONS: dict[type[ast.cmpop], tree.Comparison] = {
    ast.Eq: tree.Comparison.EQUAL,
    ast.NotEq: tree.Comparison.UNEQUAL,
    ast.Lt: tree.Comparison.LESS,
    ast.LtE: tree.Comparison.AT_MOST,
    ast.Gt: tree.Comparison.MORE,
    ast.GtE: tree.Comparison.AT_LEAST,
    ast.In: tree.Comparison.IN,
    ast.NotIn: tree.Comparison.NOT_IN,
    ast.Is: tree.Comparison.IS,
    ast.IsNot: tree.Comparison.IS_NOT,
}
_OPERATORS: dict[type[ast.operator], tree.Operator] = {
    ast.Add: tree.Operator.ADD,
    ast.Sub: tree.Operator.SUBTRACT,
    ast.Mult: tree.Operator.MULTIPLY,
    ast.Div: tree.Operator.DIVIDE,
    ast.FloorDiv: tree.Operator.FLOOR,
    ast.Mod: tree.Operator.REMAINDER,
}
_PLAIN_MESSAGES = ("never closed", "unmatched", "does not match", "unterminated")
"""Where Python's own sentence says it best."""
_STARTS_NO_STATEMENT = frozenset(("and", "or", "not", "in", "is", "else", "lambda", "await"))


def parse(source: Source) -> Node:
    """Return the tree of an expression; raises `ExpressionError` and nothing else."""
    text = source.text
    if len(text) > MAX_CONDITION_CHARS:
        raise source.error(
            "expression-too-big",
            f"an expression has at most {MAX_CONDITION_CHARS:,} characters",
            MAX_CONDITION_CHARS,
        )
    check_spelling(source)
    lead = len(text) - len(text.lstrip())
    try:
        body = _parsed(text[lead:])
    except SyntaxError as error:
        raise _stumble(source, error, lead) from None
    except (ValueError, RecursionError, MemoryError):
        raise source.error("expression-too-big", "this is too deeply nested to read") from None
    return _Reader(source, lead).read(body, 1)


def _parsed(text: str) -> ast.expr:
    """As `ast.parse`, whose module is 2 ms of imports for this one line."""
    read = compile(text, "<unknown>", "eval", ast.PyCF_ONLY_AST, dont_inherit=True)
    return read.body  # type: ignore[attr-defined, no-any-return]


def _stumble(source: Source, error: SyntaxError, lead: int) -> ExpressionError:
    """Return what to say where Python's parser stopped."""
    text = source.text
    offset = error.offset or 0
    at = lead + offset - 1 if 0 < offset <= len(text) - lead else len(text.rstrip())
    for wrong, sentence in refusals.MISSPELT:
        for start in range(max(0, at - len(wrong)), at + 1):
            if text.startswith(wrong, start) and not _is_comparison(text, start, wrong):
                return source.error("expression-syntax", sentence, start, start + len(wrong))
    first = text.split()[0]
    if keyword.iskeyword(first) and first not in _STARTS_NO_STATEMENT:
        return source.error("expression-syntax", refusals.A_STATEMENT, lead, lead + len(first))
    end = lead + (error.end_offset or 0) - 1
    message = error.msg or "invalid syntax"
    if at >= len(text.rstrip()):
        sentence = "the expression ends too early; what comes here?"
    elif message.startswith("invalid character"):
        sentence = "Python knows no such character; write straight quotes and plain operators"
    elif "integer string conversion" in message:
        return source.error("expression-too-big", "a number here is too long")
    elif any(part in message for part in _PLAIN_MESSAGES):
        sentence = message.removesuffix(" (detected at line 1)")
    else:
        sentence = "Python cannot read this; is an operator, a quote or a comma missing?"
    return source.error("expression-syntax", sentence, at, max(end, at + 1))


def _is_comparison(text: str, start: int, wrong: str) -> bool:
    """Tell whether a lone `=` or `!` is really a part of `==`, `!=`, `<=` or `>=`."""
    around = text[max(0, start - 1) : start + len(wrong) + 1]
    return wrong in {"=", "!"} and any(op in around for op in ("==", "!=", "<=", ">="))


class _Reader:
    """One pass over one expression; it counts nodes as it goes."""

    def __init__(self, source: Source, lead: int) -> None:
        self._source = source
        self._lead = lead
        self._nodes = 0
        self._bytes = source.text[lead:].encode()

    def read(self, node: ast.expr, depth: int) -> Node:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise self._error(
                node, f"an expression has at most {MAX_NODES} parts", "expression-too-big"
            )
        if depth > MAX_DEPTH:
            raise self._error(
                node, f"an expression nests at most {MAX_DEPTH} deep", "expression-too-big"
            )
        reader = _READERS.get(type(node))
        if reader is None:
            sentence = refusals.CONSTRUCTS.get(type(node), refusals.A_STATEMENT)
            raise self._error(node, sentence)
        return reader(self, node, depth + 1)

    def name(self, node: ast.Name, _: int) -> Node:
        return tree.Name(self._span(node), node.id)

    def attribute(self, node: ast.Attribute, depth: int) -> Node:
        if (sentence := refusals.ATTRIBUTES.get(node.attr)) is not None:
            raise self._error(node, sentence)
        return tree.Attribute(self._span(node), self.read(node.value, depth), node.attr)

    def subscript(self, node: ast.Subscript, depth: int) -> Node:
        value = self.read(node.value, depth)
        if isinstance(node.slice, ast.Slice):
            return tree.Slice(self._span(node), value, self._bounds(node.slice))
        if isinstance(node.slice, ast.Tuple):
            raise self._error(node.slice, "one key or index stands in brackets, not several")
        return tree.Item(self._span(node), value, self.read(node.slice, depth))

    def _bounds(self, node: ast.Slice) -> slice:
        bounds = [
            None if bound is None else self._bound(bound)
            for bound in (node.lower, node.upper, node.step)
        ]
        if bounds[2] == 0:
            raise self._error(node, "a slice cannot take steps of 0")
        return slice(*bounds)

    def _bound(self, node: ast.expr) -> int:
        value = self._literal(node)
        if type(value) is not int:
            raise self._error(node, "the ends of a slice are whole numbers written out: x[1:3]")
        return value

    def constant(self, node: ast.Constant, _: int) -> Node:
        return tree.Literal(self._span(node), self._literal(node))

    def display(self, node: ast.Tuple | ast.List, _: int) -> Node:
        if len(node.elts) > MAX_DISPLAY:
            raise self._error(
                node, f"a list has at most {MAX_DISPLAY} items", "expression-too-big"
            )
        values = [self._literal(element) for element in node.elts]
        whole = tuple(values) if isinstance(node, ast.Tuple) else values
        return tree.Literal(self._span(node), whole)

    def _literal(self, node: ast.expr) -> tree.Plain:
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            value = self._literal(node.operand)
            if type(value) is int or type(value) is float:
                return -value
        if not isinstance(node, ast.Constant):
            raise self._error(
                node, "write the value out here: a number, a text, True, False or None"
            )
        value = node.value  # type: ignore[assignment]
        if type(value) is int and value.bit_length() > MAX_INT_BITS:
            raise self._error(
                node, f"a number has at most {MAX_INT_BITS:,} bits", "expression-too-big"
            )
        if value is not None and type(value) not in (str, int, float, bool):
            raise self._error(node, "a value is a number, a text, True, False or None")
        return value

    def compare(self, node: ast.Compare, depth: int) -> Node:
        first = self.read(node.left, depth)
        rest = []
        for op, operand in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, ast.Is | ast.IsNot):
                self._check_identity(operand)
            rest.append((_COMPARISONS[type(op)], self.read(operand, depth)))
        return tree.Compare(self._span(node), first, tuple(rest))

    def _check_identity(self, node: ast.expr) -> None:
        if not isinstance(node, ast.Constant) or not (
            node.value is None or node.value is True or node.value is False
        ):
            raise self._error(
                node, "is goes with None, True or False on its right; write == to compare"
            )

    def logic(self, node: ast.BoolOp, depth: int) -> Node:
        parts = tuple(self.read(value, depth) for value in node.values)
        kind = tree.And if isinstance(node.op, ast.And) else tree.Or
        return kind(self._span(node), parts)

    def unary(self, node: ast.UnaryOp, depth: int) -> Node:
        if isinstance(node.op, ast.Not):
            return tree.Not(self._span(node), self.read(node.operand, depth))
        if not isinstance(node.op, ast.USub):
            raise self._error(node, refusals.OPERATORS[type(node.op)])
        value = self.read(node.operand, depth)
        self._check_number(value)
        return tree.Negative(self._span(node), value)

    def arithmetic(self, node: ast.BinOp, depth: int) -> Node:
        operator = _OPERATORS.get(type(node.op))
        if operator is None:
            raise self._error(node, refusals.OPERATORS[type(node.op)])
        left, right = self.read(node.left, depth), self.read(node.right, depth)
        self._check_number(left)
        self._check_number(right)
        return tree.Arithmetic(self._span(node), left, operator, right)

    def _check_number(self, node: Node) -> None:
        if isinstance(node, tree.Literal) and type(node.value) not in (int, float, bool):
            raise self._source.error("expression-forbidden", refusals.NO_JOIN, *node.span)

    def call(self, node: ast.Call, depth: int) -> Node:
        function = node.func
        if isinstance(function, ast.Attribute):
            return self._method(node, function, depth)
        name = function.id if isinstance(function, ast.Name) else ""
        if name == "len":
            (value,) = self._arguments(node, 1, "len() takes one value: len(x)")
            return tree.Length(self._span(node), self.read(value, depth))
        if name == "isinstance":
            value, kinds = self._arguments(
                node, 2, "isinstance() takes a value and a name: isinstance(x, Order)"
            )
            listed = kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
            names = tuple(self._class_name(kind) for kind in listed)
            return tree.IsInstance(self._span(node), self.read(value, depth), names)
        raise self._error(node, refusals.FUNCTIONS.get(name, refusals.A_CALL))

    def _method(self, node: ast.Call, function: ast.Attribute, depth: int) -> Node:
        if function.attr not in tuple(tree.Affix):
            raise self._error(node, refusals.METHODS.get(function.attr, refusals.A_METHOD))
        (text,) = self._arguments(node, 1, f".{function.attr}() takes one text")
        return tree.HasAffix(
            self._span(node),
            self.read(function.value, depth),
            tree.Affix(function.attr),
            self.read(text, depth),
        )

    def _arguments(self, node: ast.Call, count: int, sentence: str) -> list[ast.expr]:
        if len(node.args) != count or node.keywords:
            raise self._error(node, sentence)
        return node.args

    def _class_name(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Attribute):
            return f"{self._class_name(node.value)}.{node.attr}"
        raise self._error(node, "write class names: Order, shop.orders.Order or (int, str)")

    def _error(
        self, node: ast.expr | ast.Slice, sentence: str, slug: str = "expression-forbidden"
    ) -> ExpressionError:
        return self._source.error(slug, sentence, *self._span(node))

    def _span(self, node: ast.expr | ast.Slice) -> tree.Span:
        """Return where `node` stands in characters; the parser counts bytes."""
        start = len(self._bytes[: node.col_offset].decode())
        end = len(self._bytes[: node.end_col_offset].decode())
        return self._lead + start, self._lead + end


_READERS: dict[type[ast.expr], Callable[[_Reader, Any, int], Node]] = {
    ast.Name: _Reader.name,
    ast.Attribute: _Reader.attribute,
    ast.Subscript: _Reader.subscript,
    ast.Constant: _Reader.constant,
    ast.Tuple: _Reader.display,
    ast.List: _Reader.display,
    ast.Compare: _Reader.compare,
    ast.BoolOp: _Reader.logic,
    ast.UnaryOp: _Reader.unary,
    ast.BinOp: _Reader.arithmetic,
    ast.Call: _Reader.call,
}
