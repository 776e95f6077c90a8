"""What a person reads when an expression is refused: where, and what to write instead."""

import warnings
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from leadline.expression import ExpressionError, compile_condition, compile_template
from leadline.expression.parsing import MAX_DEPTH, MAX_NODES
from leadline.expression.pointing import MAX_SHOWN
from leadline.wire.errors import UsageError

SYNTAX, FORBIDDEN, BIG = "expression-syntax", "expression-forbidden", "expression-too-big"
A_METHOD = (
    "a method call would run code of the application; only len(), isinstance(), "
    ".startswith() and .endswith() can be called"
)


def refusal(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        compile_condition(text)
    return caught.value


def test_the_message_is_the_text_a_caret_and_what_to_write() -> None:
    error = refusal('user.name.lower() == "bob"')
    assert isinstance(error, UsageError)
    assert error.slug == FORBIDDEN
    assert str(error).splitlines() == [
        'user.name.lower() == "bob"',
        "^^^^^^^^^^^^^^^^^",
        A_METHOD,
    ]


@pytest.mark.parametrize(
    ("text", "refused", "slug", "words"),
    [
        ("9**9**9", "9**9**9", FORBIDDEN, "write x * x"),
        ("x == 2 and f(x)", "f(x)", FORBIDDEN, "a call would run code of the application"),
        ("x.items.get('k') == 1", "x.items.get('k')", FORBIDDEN, "write d['k']"),
        ("any(x for x in y)", "any(x for x in y)", FORBIDDEN, "a loop has no bound"),
        ("[x for x in y]", "[x for x in y]", FORBIDDEN, "a loop has no bound"),
        ("str(x) == '1'", "str(x)", FORBIDDEN, "leave out the conversion"),
        ("type(x) == int", "type(x)", FORBIDDEN, "write isinstance(x, Name)"),
        ("getattr(x, 'y')", "getattr(x, 'y')", FORBIDDEN, "write x.name"),
        ("x.__class__ == 1", "x.__class__", FORBIDDEN, "write isinstance(x, Name)"),
        ("a and (lambda: 1)", "lambda: 1", FORBIDDEN, "a function cannot be defined"),
        ("(x := 1)", "x := 1", FORBIDDEN, "write == to compare"),
        ("await x", "await x", FORBIDDEN, "await would let other tasks"),
        ("x is y", "y", FORBIDDEN, "is goes with None, True or False"),
        ("None is x", "x", FORBIDDEN, "is goes with None, True or False"),
        ("x is 'a'", "'a'", FORBIDDEN, "write == to compare"),
        ("x + 'b' == y", "'b'", FORBIDDEN, "for numbers only"),
        ("-'b'", "'b'", FORBIDDEN, "for numbers only"),
        ("x in {1, 2}", "{1, 2}", FORBIDDEN, "write a tuple"),
        ("x == {1: 2}", "{1: 2}", FORBIDDEN, "compare single items"),
        ("1 if x else 2", "1 if x else 2", FORBIDDEN, "a choice cannot be made"),
        ("x[*y]", "*y", FORBIDDEN, "not several"),
        ("x[1, 2]", "1, 2", FORBIDDEN, "not several"),
        ("x[a:3]", "a", FORBIDDEN, "write the value out"),
        ("x['a':]", "'a'", FORBIDDEN, "whole numbers written out"),
        ("x[::0]", "::0", FORBIDDEN, "steps of 0"),
        ("x in (a, 1)", "a", FORBIDDEN, "write the value out"),
        ("x & y", "x & y", FORBIDDEN, "write and"),
        ("x | y", "x | y", FORBIDDEN, "write or"),
        ("x << 3", "x << 3", FORBIDDEN, "use * or //"),
        ("~x", "~x", FORBIDDEN, "write not"),
        ("+x", "+x", FORBIDDEN, "leave out the +"),
        ("b'x' == y", "b'x'", FORBIDDEN, "a value is a number"),
        ("x == 1j", "1j", FORBIDDEN, "a value is a number"),
        ("...", "...", FORBIDDEN, "a value is a number"),
        ('f"{x}" == y', 'f"{x}"', FORBIDDEN, "an f-string"),
        ('rF"{x}"', 'rF"{x}"', FORBIDDEN, "an f-string"),
        ("len(x, y)", "len(x, y)", FORBIDDEN, "len(x)"),
        ("isinstance(x, int | str)", "int | str", FORBIDDEN, "(int, str)"),
        ("x.startswith('a', 1)", "x.startswith('a', 1)", FORBIDDEN, "takes one text"),
        ("x = 1", "=", SYNTAX, "write == to compare"),
        ("x && y", "&&", SYNTAX, "write and"),
        ("x || y", "||", SYNTAX, "write or"),
        ("!x", "!", SYNTAX, "write not"),
        ("x === 1", "===", SYNTAX, "write =="),
        ("x <> 1", "<>", SYNTAX, "write !="),
        ("x => 1", "=>", SYNTAX, "write >="),
        ("x AND y", "AND", SYNTAX, "small letters"),
        ("x += 1", "+=", SYNTAX, "changes nothing"),
        ("x++", "++", SYNTAX, "changes nothing"),
        ("import os", "import", SYNTAX, "a statement cannot be run"),
        ("  return x", "return", SYNTAX, "a statement cannot be run"),
        ("x; y", ";", SYNTAX, "one expression"),
        ("x == “a”", "“", SYNTAX, "straight quotes"),
        ("x # no", "#", SYNTAX, "leave out the comment"),
        ("x\n== 1", "\n", SYNTAX, "on one line"),
        ("x\0", "\0", SYNTAX, "on one line"),
        ("x == '\ud800'", "\ud800", SYNTAX, "on one line"),
        ("x == '\\d'", "\\d", SYNTAX, "write \\\\ for a backslash"),
        ("x == 1if y else 2", "1if", SYNTAX, "is a space missing"),
        ("(x == 1", "(", SYNTAX, "never closed"),
        ("x == 'abc", "'", SYNTAX, "unterminated"),
        ("x y", "y", SYNTAX, "missing"),
        ("é.f() == 'ü'", "é.f()", FORBIDDEN, A_METHOD),
        ("'é' == x and ü ** 2", "ü ** 2", FORBIDDEN, "x * x"),
        ("  x ** 2", "x ** 2", FORBIDDEN, "x * x"),
    ],
)
def test_refusals_point_and_advise(text: str, refused: str, slug: str, words: str) -> None:
    error = refusal(text)
    assert text[error.start : error.end] == refused
    assert error.slug == slug
    assert words in error.sentence
    shown, carets, sentence = str(error).split("\n")
    assert sentence == error.sentence
    assert carets == " " * error.start + "^" * len(refused)
    assert len(shown) == len(text)


def test_carets_stand_under_wide_characters() -> None:
    _, carets, _ = str(refusal("日本 == x.f()")).split("\n")
    assert carets == " " * 8 + "^" * 5


@pytest.mark.parametrize("text", ["", "   ", "x ==", "not", "x and"])
def test_what_is_missing_is_pointed_at_the_end(text: str) -> None:
    error = refusal(text)
    assert error.slug == SYNTAX
    assert "^" in str(error).split("\n")[1]


@pytest.mark.parametrize(
    "text",
    [
        "x" * 3_000,
        "(" * 40 + "x" + ")" * 40,
        "-" * 1_500 + "x",
        "x" + ".y" * 900,
        "not " * 400 + "x",
        "1" * 1_900,
        "1" * 400,
        "x in (" + "1," * 200 + ")",
        " and ".join(["x"] * (MAX_NODES + 1)),
        "-" * MAX_DEPTH + "x",
    ],
)
def test_what_is_too_big_is_refused_before_it_costs(text: str) -> None:
    error = refusal(text)
    assert error.slug == BIG
    shown, carets, _ = str(error).split("\n")
    assert len(shown) <= MAX_SHOWN + 2
    assert len(carets) <= MAX_SHOWN + 2


def test_an_integer_too_long_for_python_is_too_big() -> None:
    error = refusal("x == " + "9" * 1_990)
    assert error.slug == BIG


@given(st.text(alphabet=st.characters(codec=None), max_size=60))
@example("x.y.z[1")
@example("\\")
@example("'\\")
@example("f'{1if x else 2}'")
@example("0777 == x")
@example("1_0__0")
@example("x[1:2:3:4]")
@example("٣ == ²")
def test_any_text_is_an_expression_or_a_pointed_error(text: str) -> None:
    for read in (compile_condition, compile_template):
        assert sentence_for(read, text).count("\n") == 2


_PIECES = (
    "x y . [ ] ( ) { } , : ! = == < in not and or is None 'a' \" ' 1 2.5 -3 + * ** // % len "
    'isinstance startswith \\ \\d 1if 0x1for f" é 日 # ; @ & lambda if else for await'
)
PIECES = st.sampled_from([" ", *_PIECES.split()])


def sentence_for(read: Callable[[str], object], text: str) -> str:
    try:
        read(text)
    except ExpressionError as error:
        return str(error)
    return "\n\n"


@given(st.lists(PIECES, max_size=25).map("".join))
def test_nearly_right_text_never_warns(text: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for read in (compile_condition, compile_template):
            sentence_for(read, text)
    assert caught == []
