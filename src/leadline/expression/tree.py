"""What an expression can be made of: a closed set, so that what is not here cannot happen."""

from enum import StrEnum

from leadline.wire.struct import dataclass

type Plain = str | int | float | bool | None
type Constant = Plain | tuple[Plain, ...] | list[Plain]
type Span = tuple[int, int]
"""Where a node stands in the text of its expression, in characters: start and end."""


class Comparison(StrEnum):
    """How two values can be compared."""

    EQUAL = "=="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    IN = "in"
    NOT_IN = "not in"
    IS = "is"
    IS_NOT = "is not"


class Operator(StrEnum):
    """What can be done with two numbers."""

    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"
    FLOOR = "//"
    REMAINDER = "%"


class Affix(StrEnum):
    """The two methods of a text that can be called."""

    START = "startswith"
    END = "endswith"


@dataclass(frozen=True, slots=True)
class Name:
    span: Span
    name: str


@dataclass(frozen=True, slots=True)
class Attribute:
    span: Span
    value: "Node"
    name: str


@dataclass(frozen=True, slots=True)
class Item:
    span: Span
    value: "Node"
    key: "Node"


@dataclass(frozen=True, slots=True)
class Slice:
    span: Span
    value: "Node"
    bounds: slice


@dataclass(frozen=True, slots=True)
class Literal:
    span: Span
    value: Constant


@dataclass(frozen=True, slots=True)
class Compare:
    """`first op operand op operand ...`, a chain as in Python."""

    span: Span
    first: "Node"
    rest: tuple[tuple[Comparison, "Node"], ...]


@dataclass(frozen=True, slots=True)
class And:
    span: Span
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    span: Span
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    span: Span
    value: "Node"


@dataclass(frozen=True, slots=True)
class Negative:
    span: Span
    value: "Node"


@dataclass(frozen=True, slots=True)
class Arithmetic:
    span: Span
    left: "Node"
    operator: Operator
    right: "Node"


@dataclass(frozen=True, slots=True)
class Length:
    span: Span
    value: "Node"


@dataclass(frozen=True, slots=True)
class IsInstance:
    """`names` are ends of dotted class names: `Order` and `orders.Order` are both `Order`."""

    span: Span
    value: "Node"
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HasAffix:
    span: Span
    value: "Node"
    affix: Affix
    text: "Node"


type Node = (
    Name | Attribute | Item | Slice | Literal | Compare | And | Or | Not | Negative
    | Arithmetic | Length | IsInstance | HasAffix
)  # fmt: skip


def parts_of(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly under `node`."""
    match node:
        case Name() | Literal():
            return ()
        case Item():
            return (node.value, node.key)
        case Compare():
            return (node.first, *(operand for _, operand in node.rest))
        case And() | Or():
            return node.parts
        case Arithmetic():
            return (node.left, node.right)
        case HasAffix():
            return (node.value, node.text)
        case _:
            return (node.value,)


def names_in(node: Node) -> frozenset[str]:
    """Return the variables that `node` reads."""
    if isinstance(node, Name):
        return frozenset((node.name,))
    return frozenset().union(*map(names_in, parts_of(node)))
