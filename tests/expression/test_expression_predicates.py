"""What is asked of a whole call: which classes count, what is unknown, what is refused."""

import pytest

from leadline.expression import ExpressionError, Unknown
from leadline.trial.predicate import compile_predicate


class OutOfStock(LookupError):
    """One of the application's own."""


class Hostile(Exception):
    """Answers every ordinary question with code of its own."""

    def __getattribute__(self, name):
        raise AssertionError(name)

    __eq__ = __hash__ = __str__ = __repr__ = __getattribute__  # type: ignore[assignment]


def scope(**variables):
    def read(name):
        if name not in variables:
            raise Unknown(f"there is no variable {name} here")
        return variables[name]

    return read


def holds(text, value, *, returned=True, **variables):
    return compile_predicate(text).holds(scope(**variables), returned, value)


@pytest.mark.parametrize(
    ("text", "error", "answer"),
    [
        ("raises ZeroDivisionError", ZeroDivisionError(), True),
        ("raises ArithmeticError", ZeroDivisionError(), True),
        ("raises ZeroDivision", ZeroDivisionError(), False),
        ("raises KeyError", ZeroDivisionError(), False),
        ("raises KeyError or raises ArithmeticError", ZeroDivisionError(), True),
        ("raises OutOfStock", OutOfStock(), True),
        ("raises test_expression_predicates.OutOfStock", OutOfStock(), True),
        ("raises other.OutOfStock", OutOfStock(), False),
        ("raises builtins.LookupError", OutOfStock(), True),
        ("raises Exception and not raises LookupError", OutOfStock(), False),
        ("raises KeyError or result['total'] < 0", KeyError(), True),
        ("raises KeyError or result['total'] < 0", ValueError(), False),
        ("result['total'] > 0", ValueError(), False),
        ("not result['total'] > 0", ValueError(), False),
        ("exception.args[0] == 'three'", ValueError("three"), True),
        ("raises ValueError and n > 3", ValueError(), True),
        ("raises\tValueError", ValueError(), True),
        ("exception is None", ValueError(), False),
    ],
)
def test_of_calls_that_raised(text, error, answer) -> None:
    assert holds(text, error, returned=False, n=4) is answer


def test_an_exception_is_asked_nothing() -> None:
    error = Hostile()
    assert compile_predicate("raises Hostile").holds(scope(), False, error) is True
    assert compile_predicate("raises KeyError").holds(scope(), False, error) is False


@pytest.mark.parametrize(
    ("text", "result", "answer"),
    [
        ("raises ValueError", 3, False),
        ("raises ValueError or result < 0", -1, True),
        ("result < 0 or raises ValueError", 1, False),
        ("result['total'] > limit", {"total": 5}, True),
        ("exception is None", None, True),
        ("result is None", None, True),
        ("result == 'raises ValueError'", "raises ValueError", True),
        ('result == "a \\" raises ValueError"', 'a " raises ValueError', True),
        ("not raises ValueError", 3, True),
        ("raises and result > 0", 3, True),
        ("holder.raises", 3, True),
    ],
)
def test_of_calls_that_returned(text, result, answer) -> None:
    class Holder:
        raises = True

    assert holds(text, result, limit=4, raises=True, holder=Holder) is answer


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("result['totl'] > 0", "totl"),
        ("nothing > 0", "no variable nothing"),
        ("result > 'a'", "dict"),
        ("exception.code == 3", "code"),
    ],
)
def test_what_has_no_answer_says_why(text, reason) -> None:
    with pytest.raises(Unknown, match=reason):
        holds(text, {"total": 1})


def test_names_are_those_of_the_function() -> None:
    found = compile_predicate("raises TokenExpired or result > limit and exception is None")
    assert found.names == {"limit"}


@pytest.mark.parametrize(
    ("text", "pointed"),
    [
        ("raises KeyError or open('x')", "open('x')"),
        ("raises", "raises ValueError"),
        ("response.body['total'] > 0", "response.json is what it says"),
        ("raises (KeyError, ValueError)", "raises"),
        ("raises KeyError(3)", ""),
        ("raises KeyError or result.password == 3", "password"),
        ("raises KeyError ValueError", ""),
        ("", ""),
    ],
)
def test_what_cannot_be_read_is_shown_as_it_was_written(text, pointed) -> None:
    with pytest.raises(ExpressionError) as raised:
        compile_predicate(text)
    assert raised.value.text == text
    assert "raises_0" not in str(raised.value)
    assert pointed in str(raised.value)
