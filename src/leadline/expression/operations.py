"""What conditions do with values: compare, compute, search; bounded, and never by user code.

Each function takes application objects, gets at the builtin values that they are, and raises
`Unknown` where Python would run code of theirs, where it would raise, or where the operands
are larger than an answer on the application's thread may cost.
"""

import operator
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Any, Literal

from leadline.expression import exact
from leadline.expression.fuel import UNIT_CHARS, burn, fuel_left, sparse
from leadline.expression.hiding import hidden_items, member_rule
from leadline.expression.impossible import (
    is_builtin,
    is_no_number,
    is_text,
    is_unhashable,
    refusal,
    without_order,
    without_result,
)
from leadline.expression.interruption import expected
from leadline.expression.layout import MISSING, identity, layout_of
from leadline.expression.parsing import MAX_INT_BITS
from leadline.expression.reading import ATTEMPTS, MAX_WALK, entry, equals, length, unwrapped
from leadline.expression.tree import Affix, Comparison, Operator
from leadline.expression.unknown import Exhausted, Impossible, Redacted, Unknown

MAX_TEXT = 10_000
"""Characters or bytes of an operand that is compared or searched: a few microseconds."""
MAX_SLICE = 10_000
"""Items or characters that a slice may copy."""
MAX_ELEMENTS = 100
"""Elements compared when two lists or tuples are: as many as a literal can have."""

_NUMBERS = frozenset(map(identity, (bool, int, float)))
_TEXTS = frozenset(map(identity, (str, bytes)))
_WALKED = frozenset(map(identity, (list, tuple, set, frozenset, deque)))
_SLICED = frozenset(map(identity, (list, tuple, str, bytes, bytearray)))
_EQUALITY = frozenset(("__eq__", "__ne__"))
_CALCULATING = frozenset(
    f"__{side}{name}__"
    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "neg")
    for side in ("", "r")
)

_CALCULATE: dict[Operator, Callable[[Any, Any], Any]] = {
    Operator.ADD: operator.add,
    Operator.SUBTRACT: operator.sub,
    Operator.MULTIPLY: operator.mul,
    Operator.DIVIDE: operator.truediv,
    Operator.FLOOR: operator.floordiv,
    Operator.REMAINDER: operator.mod,
}
_ORDER: dict[Comparison, Callable[[Any, Any], bool]] = {
    Comparison.LESS: operator.lt,
    Comparison.AT_MOST: operator.le,
    Comparison.MORE: operator.gt,
    Comparison.AT_LEAST: operator.ge,
}


def comparison(op: Comparison) -> Callable[[object, object], bool]:
    """Return the function that answers `left op right`."""
    match op:
        case Comparison.EQUAL:
            return equal
        case Comparison.UNEQUAL:
            return lambda left, right: not equal(left, right)
        case Comparison.IN:
            return contains
        case Comparison.NOT_IN:
            return lambda left, right: not contains(left, right)
        case Comparison.IS:
            return operator.is_
        case Comparison.IS_NOT:
            return operator.is_not
        case _:
            return _ordering(op)


def truth(value: object) -> bool:
    """Return what `if value:` would see, for builtin values and for what defines no truth."""
    if value is True or value is False or value is None:
        return value is True
    if (known := exact.truth(value)) is not None:
        return known
    layout = layout_of(type(value))
    if "__bool__" in layout.overrides or "__len__" in layout.overrides:
        raise Unknown(f"whether a {layout.name} is true is decided by its own code")
    if (plain := unwrapped(value)) is not MISSING and identity(type(plain)) in _NUMBERS:
        return bool(plain)
    if layout.find("__len__") is MISSING and layout.find("__bool__") is MISSING:
        return True
    try:
        return length(value) > 0
    except Unknown:
        reason = f"whether a {layout.name} is true is decided by its own code"
        raise Unknown(reason) from None


def equal(left: object, right: object) -> bool:
    """Answer `left == right`."""
    if type(left) is str and type(right) is str:  # the commonest case needs no layout
        return _equal_plain(left, right)
    mine, other = unwrapped(left), unwrapped(right)
    if mine is not MISSING and other is not MISSING:
        return _equal_plain(mine, other)
    if (sign := _exactly(left, right, mine, other)) is not None:
        return sign == 0
    if mine is MISSING and other is MISSING:
        return _equal_sequences(left, right)
    same = equals(right, mine) if other is MISSING else equals(left, other)
    if same is None:
        raise _refusal(_obscure(left, right, mine))
    return same


def _equal_plain(left: Any, right: Any) -> bool:
    kind, other = identity(type(left)), identity(type(right))
    if kind in _NUMBERS and other in _NUMBERS:
        _check_number(left)
        _check_number(right)
        return bool(left == right)
    if kind != other:
        return False
    if kind in _TEXTS and len(left) != len(right):
        return False
    if kind in _TEXTS and left is not right:
        _check_text(left)
    return bool(left == right)


def _equal_sequences(left: Any, right: Any) -> bool:
    mine, other = layout_of(type(left)), layout_of(type(right))
    base: Any = mine.base
    for side, layout in ((left, mine), (right, other)):
        if layout.base not in (list, tuple) or _EQUALITY & layout.overrides:
            raise _refusal(side if not exact.knows(side) else right)
    if mine.base is not other.base:
        return False
    if base.__len__(left) != base.__len__(right):
        return False
    if base.__len__(left) > MAX_ELEMENTS:
        raise Unknown(f"more than {MAX_ELEMENTS} elements are too many to compare")
    burn(base.__len__(left))
    whole = slice(MAX_ELEMENTS)
    pairs = zip(base.__getitem__(left, whole), base.__getitem__(right, whole), strict=False)
    return all(a is b or equal_elements(a, b) for a, b in pairs)


def equal_elements(left: object, right: object) -> bool:
    """Answer `left == right` for elements, which may be plain values but not lists again."""
    if unwrapped(left) is MISSING and unwrapped(right) is MISSING:
        raise Unknown("lists are compared one level deep")
    return equal(left, right)


def _ordering(op: Comparison) -> Callable[[object, object], bool]:
    compare = _ORDER[op]

    def order(left: object, right: object) -> bool:
        mine, other = unwrapped(left), unwrapped(right)
        if mine is MISSING or other is MISSING:
            sign = _exactly(left, right, mine, other)
            if sign == exact.UNORDERED or without_order(left, right):
                raise _without_order(left, right)
            if sign is None:
                raise _refusal(_obscure(left, right, mine))
            return compare(sign, 0)
        kind, its = identity(type(mine)), identity(type(other))
        if kind in _NUMBERS and its in _NUMBERS:
            _check_number(mine)
            _check_number(other)
        elif kind == its and kind in _TEXTS:
            _check_text(mine)
            _check_text(other)
        else:
            raise _without_order(left, right)
        return compare(mine, other)

    return order


def _without_order(left: object, right: object) -> Unknown:
    sure = without_order(left, right) or is_no_number(left) or is_no_number(right)
    reason = f"{_name(left)} and {_name(right)} have no order"
    return Impossible(reason) if sure else Unknown(reason)


def _exactly(left: object, right: object, mine: Any, other: Any) -> int | None:
    """Return how two of which one at least is no plain value compare, if C code can tell."""
    for plain in (mine, other):
        if plain is not MISSING:
            _check_number(plain)
    return exact.order(left, right, mine, other)


def _obscure(left: object, right: object, mine: object) -> object:
    """Return the one of two that cannot be compared."""
    return left if mine is MISSING and not exact.knows(left) else right


def contains(needle: object, hay: object) -> bool:
    """Answer `needle in hay`."""
    layout = layout_of(type(hay))
    if {"__contains__", "__iter__", "__getitem__"} & layout.overrides:
        raise Unknown(f"what is in a {layout.name} is decided by its own code")
    base = layout.base
    if base is str or base is bytes:
        return _contains_text(needle, hay)
    if is_unhashable(needle) and base in (dict, set, frozenset):
        raise refusal(hay, f"{_name(needle)} cannot be in {_name(hay)}")
    if base is dict:
        return entry(hay, _operand(needle)) is not MISSING
    if identity(base) in _WALKED:
        return _contains_element(needle, hay, base)
    if is_builtin(hay) and not is_text(hay):
        raise Impossible(f"nothing is in a {layout.name}")
    raise Unknown(f"what is in a {layout.name} is decided by its own code")


def _contains_text(needle: object, hay: object) -> bool:
    part, whole = _operand(needle), _operand(hay)
    if type(part) is not type(whole):
        sure = is_builtin(needle) and (type(hay) is str or not isinstance(part, int))
        reason = f"{_name(needle)} cannot be in {_name(hay)}"
        raise Impossible(reason) if sure else Unknown(reason)
    _check_text(part)
    _check_text(whole)
    return part in whole


def _contains_element(needle: object, hay: object, base: Any) -> bool:
    size = base.__len__(hay)
    if (base is set or base is frozenset) and sparse(base.__sizeof__(hay), size):
        raise Unknown(f"the {base.__name__} was much larger once, and walking it is slow")
    for _ in range(ATTEMPTS):
        most = min(MAX_WALK, fuel_left())
        looked = 0
        undecided = ""  # the reason alone: a kept exception would keep the values
        try:
            for element in base.__iter__(hay):
                if looked == most:
                    break
                looked += 1
                if element is needle or (same := _is_element(element, needle)) is True:
                    burn(looked)
                    return True
                undecided = undecided or same
        except RuntimeError as error:  # "Set changed size during iteration"
            if not expected(error, RuntimeError):
                raise
            burn(looked)
            continue
        if looked < min(size, MAX_WALK):
            burn(MAX_WALK)  # it was the fuel that ended the walk
        burn(looked)
        if undecided:
            raise Unknown(undecided)
        if looked < size:
            raise Unknown(f"it is not among the first {MAX_WALK:,} of {size:,}")
        return False
    raise Unknown(f"another thread kept changing the {base.__name__} while it was read")


def _is_element(element: object, needle: object) -> Literal[True] | str:
    """Return True, or the reason why that cannot be said; an empty one says that it is not."""
    try:
        return True if equal_elements(element, needle) else ""
    except Exhausted:
        raise
    except Unknown as unknown:
        return unknown.reason


def arithmetic(op: Operator) -> Callable[[object, object], int | float]:
    """Return the function that computes `left op right`, for numbers."""
    calculate = _CALCULATE[op]

    def compute(left: object, right: object) -> int | float:
        try:
            mine, other = _number(left), _number(right)
        except Redacted:
            raise
        except Unknown as unknown:
            if without_result(op, left, right):
                raise Impossible(unknown.reason) from None
            raise
        try:
            result: int | float = calculate(mine, other)
        except ArithmeticError as error:
            if not expected(error, ZeroDivisionError, OverflowError):
                raise
        else:
            return _check_number(result)  # type: ignore[no-any-return]
        raise Impossible(f"{op} has no result for these numbers")

    return compute


def negative(value: object) -> int | float:
    """Answer `-value`, for a number."""
    if is_no_number(value):
        raise Impossible(f"{_name(value)} is not a number")
    result: int | float = _check_number(-_number(value))
    return result


def has_affix(affix: Affix, value: object, text: object) -> bool:
    """Answer `value.startswith(text)` or `.endswith`; `text` may be a tuple of texts."""
    if affix.value in layout_of(type(value)).overrides:
        raise Unknown(f"{_name(value)} has a {affix.value}() of its own")
    if is_builtin(value) and not is_text(value):
        raise Impossible(f"{affix.value}() asks a text about a text, not {_name(value)}")
    whole = _operand(value)
    if identity(type(whole)) not in _TEXTS:
        raise Unknown(f"{affix.value}() asks a text about a text, not {_name(value)}")
    parts = text if type(text) is tuple else (text,)
    found = any(_has_affix(affix, whole, part) for part in islice(parts, MAX_ELEMENTS))
    if not found and len(parts) > MAX_ELEMENTS:
        raise Unknown(f"more than {MAX_ELEMENTS} texts are too many to compare")
    return found


def _has_affix(affix: Affix, whole: Any, text: object) -> bool:
    part: Any = _operand(text)
    if type(part) is not type(whole):
        raise refusal(text, f"{affix.value}() asks a text about a text, not {_name(text)}")
    _check_text(part)
    return bool(whole.startswith(part) if affix is Affix.START else whole.endswith(part))


def cut(value: object, bounds: slice) -> object:
    """Return `value[bounds]` of a builtin sequence."""
    layout = layout_of(type(value))
    base: Any = layout.base
    if identity(base) not in _SLICED or "__getitem__" in layout.overrides:
        if is_builtin(value):
            raise Impossible(f"a {layout.name} has no slices")
        raise Unknown(f"what a slice of a {layout.name} is, is decided by its own code")
    indexes = range(*bounds.indices(base.__len__(value)))
    if len(indexes) > MAX_SLICE:
        raise Unknown(f"the slice is longer than {MAX_SLICE:,}")
    burn(1 + len(indexes) // UNIT_CHARS)
    for index, rule in hidden_items(value, layout).items():
        if index in indexes:
            raise Redacted(rule)
    if (member := member_rule(value, layout)) is not None:
        raise Redacted(member)
    return base.__getitem__(value, bounds)


def _operand(value: object) -> Any:
    plain = unwrapped(value)
    if plain is MISSING:
        raise _refusal(value)
    return plain


def _number(value: object) -> Any:
    plain = _operand(value)
    if identity(type(plain)) not in _NUMBERS:
        raise Unknown(f"{_name(value)} is not a number")
    if layout_of(type(value)).overrides & _CALCULATING:
        raise Unknown(f"{_name(value)} calculates with its own code")
    return _check_number(plain)


def _check_number(value: Any) -> Any:
    if type(value) is int and value.bit_length() > MAX_INT_BITS:
        raise Unknown(f"a number is larger than {MAX_INT_BITS:,} bits")
    return value


def _check_text(value: Any) -> None:
    size = len(value)
    if size > MAX_TEXT:
        raise Unknown(f"a text is longer than {MAX_TEXT:,}")
    if size >= UNIT_CHARS:
        burn(size // UNIT_CHARS)


def _name(value: object) -> str:
    return f"a {layout_of(type(value)).name}"


def _refusal(value: object) -> Unknown:
    """Return why `value` cannot be compared or computed with."""
    rule = member_rule(value, layout_of(type(value)))
    if rule is not None:
        return Redacted(rule)
    return Unknown(f"{_name(value)} compares with its own code")
