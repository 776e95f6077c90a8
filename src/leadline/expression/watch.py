"""A watch: one expression whose value is kept with a hit, or added up by a metric."""

from leadline.expression.evaluation import Evaluator, Scope, evaluator
from leadline.expression.fuel import refuel
from leadline.expression.parsing import parse
from leadline.expression.pointing import Source
from leadline.expression.secrecy import shown_secret
from leadline.expression.tree import Node, names_in
from leadline.expression.unknown import Redacted
from leadline.wire.struct import dataclass


@dataclass(frozen=True, slots=True)
class Watch:
    """`text` is the expression as it was written, `names` are the variables that it reads,
    `node` is its tree; None if it would show a secret."""

    text: str
    names: frozenset[str]
    node: Node | None
    _evaluate: Evaluator

    def evaluate(self, scope: Scope, *, more: bool = False) -> object:
        """Return the value, an object of the application; raises `Unknown` or `Redacted`.

        `more` says that it is another watch of the same hit, which shares its fuel.
        """
        if not more:
            refuel()
        return self._evaluate(scope)


def compile_watch(text: str) -> Watch:
    """Read, check and compile a watch; raises `ExpressionError`."""
    source = Source(text, 0, len(text))
    node = parse(source)
    rule = shown_secret(node, source)
    if rule is None:
        return Watch(text.strip(), names_in(node), node, evaluator(node))

    def refuse(_: Scope) -> object:
        raise Redacted(rule)

    return Watch(text.strip(), frozenset(), None, refuse)
