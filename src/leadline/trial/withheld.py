"""What stands in the place of an argument that may not leave the live process, or cannot.

It can be passed on. Whoever looks at it has left the path of the real call: what comes after
would be made of something else, so the call ends there and proves nothing.
"""

from typing import Any, NoReturn

from leadline.wire.gateway import BODY
from leadline.wire.kept import IN_PROCESS

LIVES = "lives in its process"
_OPERATIONS = """
    __getattribute__ __setattr__ __delattr__ __dir__ __repr__ __str__ __bytes__ __format__
    __lt__ __le__ __eq__ __ne__ __gt__ __ge__ __hash__ __bool__ __call__ __len__ __length_hint__
    __getitem__ __setitem__ __delitem__ __iter__ __next__ __reversed__ __contains__ __missing__
    __add__ __sub__ __mul__ __matmul__ __truediv__ __floordiv__ __mod__ __divmod__ __pow__
    __lshift__ __rshift__ __and__ __xor__ __or__ __radd__ __rsub__ __rmul__ __rmatmul__
    __rtruediv__ __rfloordiv__ __rmod__ __rdivmod__ __rpow__ __rlshift__ __rrshift__ __rand__
    __rxor__ __ror__ __iadd__ __isub__ __imul__ __imatmul__ __itruediv__ __ifloordiv__ __imod__
    __ipow__ __ilshift__ __irshift__ __iand__ __ixor__ __ior__ __neg__ __pos__ __abs__
    __invert__ __complex__ __int__ __float__ __index__ __round__ __trunc__ __floor__ __ceil__
    __enter__ __exit__ __await__ __aiter__ __anext__ __aenter__ __aexit__ __fspath__ __buffer__
    __reduce__ __reduce_ex__ __getstate__ __copy__ __deepcopy__ __sizeof__ __get__ __set__
    __delete__ __set_name__ __mro_entries__ __instancecheck__ __subclasscheck__
"""


class WithheldTouched(BaseException):
    """The code looked at a value that was held back. (`except Exception` must not keep it.)"""

    def __init__(self, path: str, why: str = "was withheld by redaction") -> None:
        super().__init__(f"{path} {why}, and the code looked at it")
        self.path = path


class Withheld:
    """Stands for a value that was held back; `of` tells which."""

    __slots__ = ("path", "rule", "type_name")


_path, _rule, _type = (vars(Withheld)[name] for name in ("path", "rule", "type_name"))


def withheld(path: str, rule: str, type_name: str) -> Withheld:
    """Make a stand-in."""
    made = object.__new__(Withheld)
    for slot, value in ((_path, path), (_rule, rule), (_type, type_name)):
        slot.__set__(made, value)
    return made


def of(stand_in: Withheld) -> tuple[str, str, str]:
    """Return path, rule and name of the class of what was held back, without touching it."""
    return _path.__get__(stand_in), _rule.__get__(stand_in), _type.__get__(stand_in)


_touched: list[WithheldTouched] = []


def touched() -> WithheldTouched | None:
    """Return what was raised of the one that was looked at first, also where that was
    swallowed."""
    return _touched[0] if _touched else None


def times_touched() -> int:
    """Return how often any was looked at so far."""
    return len(_touched)


def _touch(self: Withheld, *_: Any, **__: Any) -> NoReturn:
    path, rule, name = of(self)
    if rule == IN_PROCESS:
        error = WithheldTouched(path, f"is a {name} that {LIVES}")
    elif rule == BODY:
        error = WithheldTouched(path, "would give the request's body, which was not captured")
    elif not rule:
        error = WithheldTouched(path, "was too much to be kept")
    else:
        error = WithheldTouched(path)
    touch(error)


def touch(error: WithheldTouched) -> NoReturn:
    """Note that the code has looked at what is not there, and end it."""
    _touched.append(error)
    raise error


for _name in _OPERATIONS.split():
    type.__setattr__(Withheld, _name, _touch)
