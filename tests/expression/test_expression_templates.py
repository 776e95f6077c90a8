"""Templates: what stands in braces, how it is shown, and where an error is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.expression import ExpressionError, Unknown, compile_template
from leadline.wire.value import Omission


def render(text: str, *values: object) -> str:
    return compile_template(text).render(values)


def test_a_template_has_its_text_names_and_placeholders() -> None:
    template = compile_template("t={t} {{{user.name!r}}} {d['}']:>5} { t + 1 }")
    assert template.names == {"t", "user", "d"}
    assert [p.text for p in template.placeholders] == ["t", "user.name", "d['}']", "t + 1"]
    values = {"t": 4, "user": object(), "d": {"}": 3}}
    assert template.placeholders[0].evaluate(values.__getitem__) == 4
    assert template.placeholders[2].evaluate(values.__getitem__) == 3
    assert template.placeholders[3].evaluate(values.__getitem__) == 5
    with pytest.raises(Unknown):
        template.placeholders[1].evaluate(values.__getitem__)
    assert template.render([4, "bob", 3, 5]) == "t=4 {'bob'}     3 5"


def test_a_template_may_have_no_placeholders() -> None:
    template = compile_template("just text {{}}")
    assert (template.placeholders, template.names) == ((), frozenset())
    assert template.render([]) == "just text {}"


@pytest.mark.parametrize(
    ("text", "value", "line"),
    [
        ("{x}", "a b", "a b"),
        ("{x!r}", "a b", "'a b'"),
        ("{x!s}", "a b", "a b"),
        ("{x=}", "a b", "x='a b'"),
        ("{x = !s}", "a b", "x = a b"),
        ("{x=:>5}", "a", "x=    a"),
        ("{x:>5}|", "a", "    a|"),
        ("{x:^5}|", "a", "  a  |"),
        ("{x:5}|", "a", "a    |"),
        ("{x:.2}", "abc", "ab"),
        ("{x!r:>5}", "a", "  'a'"),
        ("{x:,.2f}", 12345.678, "12,345.68"),
        ("{x:.1%}", 0.256, "25.6%"),
        ("{x:,}", 1234567, "1,234,567"),
        ("{x:05d}", 42, "00042"),
        ("{x:x}", 255, "ff"),
        ("{x:.2f}", 3, "3.00"),
        ("{x:}", 3, "3"),
        ("{x:.2f}", "text", "text"),
        ("{x:d}", 2.5, "2.5"),
        ("{x:.2f}", None, "None"),
        ("{x:d}", True, "True"),
        ("{x:>9}", {"type": "Order", "fields": {"id": 1}}, "Order(id=1)"),
        ("{x:.2f}", {"type": "float", "text": "nan"}, "nan"),
        ("{x}", {"type": "str", "omitted": Omission.REDACTED, "rule": "r"}, "<redacted r>"),
        ("{x}", "tab\tline\n", "tab\tline\n"),
        ("{x == 1}", True, "True"),
        ("{x!=1}", True, "True"),
        ("{x<=1=}", True, "x<=1=True"),
        ("{x[1:2]}", "b", "b"),
        ("{x['a:!}=']}", "b", "b"),
    ],
)
def test_values_are_shown_as_asked(text: str, value: object, line: str) -> None:
    assert render(text, value) == line


@given(st.one_of(st.integers(-(2**63), 2**63), st.floats()), st.sampled_from(
    [">10", ",", ",.2f", ".3e", "<8.2g", ".0%", "012.3f", "^20,.1f", ".20f", "G"]))  # fmt: skip
def test_formats_are_pythons(value: float, spec: str) -> None:
    assert render(f"{{x:{spec}}}", value) == format(value, spec)


@pytest.mark.parametrize(
    ("text", "refused", "slug", "words"),
    [
        ("total={total", "{", "template-syntax", "write {{ for a brace"),
        ("a } b", "}", "template-syntax", "write }} for a brace"),
        ("a {'b} c", "{", "template-syntax", "never closed"),
        ("x={x!a}", "!a", "template-syntax", "write !r"),
        ("x={x!r z}", "{x!r", "template-syntax", "ends with }"),
        ("x={x:zz}", "zz", "template-syntax", "a format is"),
        ("x={x:*>5}", "*>5", "template-syntax", "a format is"),
        ("x={x:{w}}", "{w", "template-syntax", "a format is"),
        ("x={x:101}", "101", "template-syntax", "at most 100 columns"),
        ("x={x:.21f}", ".21f", "template-syntax", "at most 20"),
        ("x={x:.f}", ".f", "template-syntax", "a number follows the point"),
        ("x={x:.2d}", ".2d", "template-syntax", "no precision"),
        ("x={x:,x}", ",x", "template-syntax", "groups digits"),
        ("x={}", "", "expression-syntax", "write an expression"),
        ("é={é.f()} y", "é.f()", "expression-forbidden", "a method call"),
        ("a {x = 1} b", "=", "expression-syntax", "write =="),
        ("a {x y} b", "y", "expression-syntax", "missing"),
        ("a {x ==} b", "}", "expression-syntax", "too early"),
        ("{x}" * 21, "{", "template-syntax", "at most 20 placeholders"),
        ("x" * 2_001, "x", "template-syntax", "at most 2,000 characters"),
    ],
)
def test_errors_point_into_the_template(text: str, refused: str, slug: str, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_template(text)
    error = caught.value
    assert text[error.start : error.end] == refused
    assert (error.slug, error.text) == (slug, text)
    assert words in error.sentence
