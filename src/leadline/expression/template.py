"""A template: the line of text that a log probe writes, with expressions in braces.

The braces are Python's own: `{total}`, `{total:,.2f}`, `{user!r}`, `{total=}`, and `{{` for a
brace. Evaluation and rendering are apart, because between them values are captured.
"""

from collections.abc import Sequence

from leadline.expression.evaluation import Evaluator, Scope, evaluator
from leadline.expression.fuel import refuel
from leadline.expression.parsing import parse
from leadline.expression.pointing import ExpressionError, Source
from leadline.expression.presentation import BadSpecError, Presentation, read_spec
from leadline.expression.secrecy import shown_secret
from leadline.expression.spelling import tokens
from leadline.expression.tree import Node, names_in
from leadline.expression.unknown import Redacted
from leadline.wire.limits import MAX_TEMPLATE_CHARS
from leadline.wire.struct import dataclass
from leadline.wire.value import Value

MAX_PLACEHOLDERS = 20
"""Values of one line of a log; what needs more is a snapshot."""

_SLUG = "template-syntax"
_OPEN, _CLOSE = "([{", ")]}"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One expression in a template; `text` is its source, `node` its tree, or None if it would
    show a secret."""

    text: str
    names: frozenset[str]
    presentation: Presentation
    node: Node | None
    _evaluate: Evaluator

    def evaluate(self, scope: Scope, *, more: bool = False) -> object:
        """Return the value, an object of the application; raises `Unknown` or `Redacted`.

        `more` says that it is another placeholder of the same hit, which shares its fuel.
        """
        if not more:
            refuel()
        return self._evaluate(scope)


@dataclass(frozen=True, slots=True)
class Template:
    """`names` are the variables that its placeholders read."""

    text: str
    names: frozenset[str]
    placeholders: tuple[Placeholder, ...]
    _literals: tuple[str, ...]
    """The text around the placeholders: one more than there are of those."""

    def render(self, values: Sequence[Value]) -> str:
        """Return the line, with one captured value for each placeholder, in order."""
        line = [self._literals[0]]
        for place, value, literal in zip(
            self.placeholders, values, self._literals[1:], strict=True
        ):
            line += (place.presentation.show(value), literal)
        return "".join(line)


def compile_template(text: str) -> Template:
    """Read, check and compile a template; raises `ExpressionError`."""
    if len(text) > MAX_TEMPLATE_CHARS:
        sentence = f"a template has at most {MAX_TEMPLATE_CHARS:,} characters"
        raise _error(text, sentence, MAX_TEMPLATE_CHARS, len(text))
    literals, placeholders = [""], list[Placeholder]()
    index = 0
    while index < len(text):
        character = text[index]
        if character not in "{}":
            literals[-1] += character
            index += 1
        elif text.startswith(character, index + 1):
            literals[-1] += character
            index += 2
        elif character == "}":
            raise _error(text, "write }} for a brace, or { where it opens", index, index + 1)
        else:
            if len(placeholders) == MAX_PLACEHOLDERS:
                sentence = f"a template has at most {MAX_PLACEHOLDERS} placeholders"
                raise _error(text, sentence, index, index + 1)
            label, placeholder, index = _placeholder(text, index)
            literals[-1] += label
            placeholders.append(placeholder)
            literals.append("")
    names = frozenset[str]().union(*(placeholder.names for placeholder in placeholders))
    return Template(text, names, tuple(placeholders), tuple(literals))


def _placeholder(text: str, opening: int) -> tuple[str, Placeholder, int]:
    """Return the label of `{x=}`, the placeholder, and where the text goes on."""
    start = opening + 1
    end = _end_of_expression(text, opening)
    index = end
    label = ""
    if text[index] == "=":
        index = _skip_spaces(text, index + 1)
        label = text[start:index]
    conversion = ""
    if text.startswith("!", index):
        conversion = text[index + 1 : index + 2]
        if conversion not in ("r", "s"):
            raise _error(text, "write !r for a text in quotes, or !s", index, index + 2)
        index += 2
    closing = text.find("}", index)
    if closing < 0 or text[index] not in ":}":
        raise _error(text, "a placeholder ends with }", opening, index)
    spec = text[index + 1 : closing]
    quoted = conversion == "r" or bool(label and not conversion and not spec)
    try:
        presentation = read_spec(spec, quoted=quoted)
    except BadSpecError as error:
        raise _error(text, str(error), index + 1, closing) from None
    return label, _compile(Source(text, start, end), presentation), closing + 1


def _compile(source: Source, presentation: Presentation) -> Placeholder:
    node = parse(source)
    rule = shown_secret(node, source)
    if rule is not None:
        refused = _redacted(rule)
        return Placeholder(source.text.strip(), frozenset(), presentation, None, refused)
    return Placeholder(source.text.strip(), names_in(node), presentation, node, evaluator(node))


def _redacted(rule: str) -> Evaluator:
    def refuse(_: Scope) -> object:
        raise Redacted(rule)

    return refuse


def _end_of_expression(text: str, opening: int) -> int:
    """Return the index of the `}`, `:`, `!` or `=` that ends the expression."""
    depth = 0
    rest = text[opening + 1 :]
    for start, _ in tokens(rest):
        character = rest[start]
        if depth == 0 and character in "}:!=":
            if character in "}:" or _ends_here(rest, start):
                return opening + 1 + start
        elif character in _OPEN:
            depth += 1
        elif character in _CLOSE:
            depth -= 1
    raise _error(text, "this brace is never closed; write {{ for a brace", opening, opening + 1)


def _ends_here(text: str, index: int) -> bool:
    """Tell a `!r` or a last `=` from the comparisons `!=`, `==`, `<=` and `>=`."""
    if text[index] == "!":
        return not text.startswith("=", index + 1)
    if text[index - 1 : index] in ("=", "!", "<", ">"):
        return False
    after = _skip_spaces(text, index + 1)
    return text.startswith(("}", "!", ":"), after) and not text.startswith("!=", after)


def _skip_spaces(text: str, index: int) -> int:
    while text.startswith(" ", index):
        index += 1
    return index


def _error(text: str, sentence: str, start: int, end: int) -> ExpressionError:
    return ExpressionError(_SLUG, sentence, text, start, end)
