"""What Python itself refuses: questions about exact builtin values that raise an error whatever
the application is, as `None["cost"]` does. Everything else is left to its own code."""

from collections import deque

from leadline.expression.layout import identity
from leadline.expression.tree import Operator
from leadline.expression.unknown import Impossible, Unknown

_NUMBERS = frozenset(map(identity, (bool, int, float, complex)))
_WHOLE = frozenset(map(identity, (bool, int)))
_TEXTS = frozenset(map(identity, (str, bytes, bytearray)))
_ORDERED = {
    identity(kind): number
    for number, kinds in enumerate(
        ((bool, int, float), (str,), (bytes, bytearray), (list,), (tuple,), (set, frozenset),
         (deque,))
    )
    for kind in kinds
}  # fmt: skip
"""Which of them have an order among each other, by the same number."""
_SETS = frozenset(map(identity, (set, frozenset)))
_SEQUENCES = _ORDERED.keys() - _SETS - _NUMBERS
_UNHASHABLE = frozenset(map(identity, (list, dict, bytearray, deque)))
_BUILTINS = frozenset((*_ORDERED, *map(identity, (complex, dict, type(None)))))


def is_builtin(value: object) -> bool:
    """Tell whether no code but the interpreter's own decides what can be done with a value."""
    return identity(type(value)) in _BUILTINS


def is_text(value: object) -> bool:
    """Tell whether a value is an exact text or bytes."""
    return identity(type(value)) in _TEXTS


def is_unhashable(value: object) -> bool:
    """Tell whether a value is a builtin that is under no key and in no set. (A set is looked
    for in another one as what it holds.)"""
    return identity(type(value)) in _UNHASHABLE


def refusal(value: object, reason: str) -> Unknown:
    """Return why there is no answer, where Python raises an error if the value is a builtin."""
    return Impossible(reason) if is_builtin(value) else Unknown(reason)


def without_order(left: object, right: object) -> bool:
    """Tell whether Python refuses to order two values."""
    if not (is_builtin(left) and is_builtin(right)):
        return False
    kind = _ORDERED.get(identity(type(left)))
    return kind is None or kind != _ORDERED.get(identity(type(right)))


def is_no_number(value: object) -> bool:
    """Tell whether a value is a builtin that has no order with any number or time."""
    return is_builtin(value) and identity(type(value)) not in _NUMBERS


def without_result(op: Operator, left: object, right: object) -> bool:
    """Tell whether Python refuses to compute `left op right`, whatever the two values are of
    their classes."""
    if not (is_builtin(left) and is_builtin(right)):
        return False
    mine, other = identity(type(left)), identity(type(right))
    if mine in _NUMBERS and other in _NUMBERS:
        return False
    match op:
        case Operator.REMAINDER:
            return mine not in _TEXTS
        case Operator.MULTIPLY:
            return not any(
                one in _SEQUENCES and two in _WHOLE
                for one, two in ((mine, other), (other, mine))
            )
        case Operator.ADD:
            return mine not in _SEQUENCES or _ORDERED[mine] != _ORDERED.get(other)
        case Operator.SUBTRACT:
            return not (mine in _SETS and other in _SETS)
        case _:
            return True
