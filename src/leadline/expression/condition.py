"""A condition: the question that decides whether a passage becomes a hit."""

from leadline.expression.evaluation import Evaluator, Scope, evaluator
from leadline.expression.fuel import refuel
from leadline.expression.operations import truth
from leadline.expression.parsing import parse
from leadline.expression.pointing import Source
from leadline.expression.secrecy import forbid_secrets
from leadline.expression.tree import Node, names_in
from leadline.wire.struct import dataclass


@dataclass(frozen=True, slots=True)
class Condition:
    """`names` are the variables it reads; nothing else is asked of the scope."""

    text: str
    names: frozenset[str]
    node: Node
    _evaluate: Evaluator

    def holds(self, scope: Scope) -> bool:
        """Answer true or false, or raise `Unknown` with the reason why there is no answer."""
        refuel()
        return truth(self._evaluate(scope))


def compile_condition(text: str) -> Condition:
    """Read, check and compile a condition; raises `ExpressionError`."""
    source = Source(text, 0, len(text))
    node = parse(source)
    forbid_secrets(node, source)
    return Condition(text, names_in(node), node, evaluator(node))
