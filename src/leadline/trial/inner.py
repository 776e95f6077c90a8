"""Functions that are made by other functions: their code lies among the constants of those."""

from collections.abc import Iterator
from types import CodeType

LOCALS = ".<locals>."
MAX_CODES = 2_000


def codes_within(code: CodeType, qualname: str) -> Iterator[CodeType]:
    """Yield the codes of a qualified name beneath `code`, in the order of the source."""
    left = [code]
    for _ in range(MAX_CODES):
        if not left:
            return
        one = left.pop()
        if one is not code and one.co_qualname == qualname:
            yield one
        left += [inner for inner in reversed(one.co_consts) if type(inner) is CodeType]
