"""Where a text sets attributes."""

import ast
from collections import Counter
from functools import cache


def sets(text: str | None, name: str) -> int:
    """Return how many places of a text set an attribute of that name: an assignment to it, or
    to a name in the body of a class."""
    return _stores(text or "")[name]


@cache
def _stores(text: str) -> Counter[str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return Counter()
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            found[node.attr] += 1
        elif isinstance(node, ast.ClassDef):
            found.update(
                one.id
                for statement in node.body
                for one in ast.walk(statement)
                if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
            )
    return found
