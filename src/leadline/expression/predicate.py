"""A predicate: what is asked of a whole call, once it has ended.

An expression over the parameters, `result` and `exception`, in which `raises NAME` may stand
wherever a question may: `raises ZeroDivisionError or result["total"] < 0`.
"""

import re

from leadline.expression.condition import Condition, compile_condition
from leadline.expression.evaluation import Scope
from leadline.expression.layout import layout_of
from leadline.expression.pointing import ExpressionError
from leadline.expression.unknown import Unknown
from leadline.wire.struct import dataclass

_WORDS = re.compile(
    r"""(?x)
    "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*'      # a text holds no question
    | (?<![\w.]) raises \s+ (?P<name> [^\W\d]\w* (?:\s*\.\s*[^\W\d]\w*)* )
    """
)
_ASKS = "raises"
_BODY_KEY = re.compile(r"""(?<![\w.])response\s*\.\s*body\s*\[\s*["']""")
_NO_NAMES = frozenset(("and", "or", "not", "in", "is", "if", "else"))
_OF_THE_CALL = frozenset(("result", "exception", "duration"))


@dataclass(frozen=True, slots=True)
class Predicate:
    """`names` are the variables of the function that it reads."""

    text: str
    names: frozenset[str]
    raises: dict[str, str]
    """The classes it asks for, by what stands for the question in `condition`."""
    condition: Condition

    @property
    def is_of_any_call(self) -> bool:
        """Whether it asks for nothing but what was raised, so that it means the same of the
        caller which that leaves as well."""
        return self.condition.names <= self.raises.keys()

    def holds(self, scope: Scope, returned: bool, value: object) -> bool:
        """Answer for a call that `returned` the value, or raised it; `scope` reads its
        parameters. Raises `Unknown` with the reason where there is no answer.

        Of a call that raised, a question about its result has the answer no: it came to none.
        """
        missing = False

        def read(name: str) -> object:
            nonlocal missing
            wanted = self.raises.get(name)
            if wanted is not None:
                return not returned and is_named(value, wanted)
            if name == "exception":
                return None if returned else value
            if name == "result":
                if not returned:
                    missing = True
                    raise Unknown("an exception left the call, so there is no result")
                return value
            return scope(name)

        try:
            return self.condition.holds(read)
        except Unknown:
            if missing:
                return False
            raise


def compile_predicate(text: str) -> Predicate:
    """Read, check and compile a predicate; raises `ExpressionError`."""
    raises: dict[str, str] = {}

    def stand_in(found: re.Match[str]) -> str:
        name = found["name"]
        if name is None or re.split(r"\W", name)[0] in _NO_NAMES:
            return found[0]
        # as long as what it stands for, so that an error points at the right place
        word = f"raises_{len(raises):0{len(found[0]) - len('raises_')}d}"
        raises[word] = re.sub(r"\s", "", name)
        return word

    try:
        condition = compile_condition(_WORDS.sub(stand_in, text))
    except ExpressionError as error:
        raise ExpressionError(
            error.slug, error.sentence, text, error.start, error.end
        ) from None
    if found := _BODY_KEY.search(text):
        raise ExpressionError(
            "expression-syntax",
            "response.body is a text; response.json is what it says, where it is JSON.",
            text,
            *found.span(),
        )
    if text.split()[-1:] == [_ASKS]:
        start = text.rindex(_ASKS)
        raise ExpressionError(
            "expression-syntax",
            "Which exception? Name one: raises ValueError, or raises Exception for any.",
            text,
            start,
            start + len(_ASKS),
        )
    names = condition.names - _OF_THE_CALL - raises.keys()
    return Predicate(text, names, raises, condition)


def is_named(exception: object, wanted: str) -> bool:
    """Tell whether an exception is of the class of that name, or of a subclass. The name may
    be the end of a longer one: `errors.OutOfStock` of `shop.errors.OutOfStock`."""
    for cls in layout_of(type(exception)).order:
        layout = layout_of(cls)
        if f".{layout.module}.{layout.name}".endswith(f".{wanted}"):
            return True
    return False
