"""S4: no expression tells a secret, and none lets one be guessed."""

import pytest

from leadline.expression import (
    ExpressionError,
    Redacted,
    Unknown,
    compile_condition,
    compile_template,
)


def forbidden_scope(name: str) -> object:
    raise AssertionError(f"{name} was read")


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("password == 'x'", "password"),
        ("user.password < 'm'", "user.password"),
        ("d['api_key'] != 'x'", "d['api_key']"),
        ("'a' in token", "token"),
        ("token in seen", "token"),
        ("token.startswith('a')", "token"),
        ("name.startswith(token)", "token"),
        ("password[:1] == 'a'", "password"),
        ("password[0] == 'a'", "password"),
        ("password.value == 1", "password"),
        ("len(password.value) == 1", "password"),
        ("len(password[1:]) == 1", "password"),
        ("pin + 1 > 3", "pin"),
        ("-pin < 3", "pin"),
        ("not password", "password"),
        ("password", "password"),
        ("x and password", "password"),
        ("password is True", "password"),
        ("password is None is None", "password"),
        ("d[token] == 1", "token"),
        ("isinstance(secrets['a']['b'], str)", "secrets"),
        ("ｐassword == 'x'", "ｐassword"),
    ],
)
def test_a_condition_is_no_oracle(text: str, refused: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_condition(text)
    assert caught.value.slug == "expression-secret"
    assert text[caught.value.start : caught.value.end] == refused
    assert "only is None" in caught.value.sentence
    assert "(name:" in caught.value.sentence


@pytest.mark.parametrize(
    "text",
    [
        "password is not None",
        "len(user.password) == 3",
        "isinstance(d['password'], str)",
        "d['api_key'] is None or len(password) > 2 and max_tokens == 5",
        "'password' in d",
    ],
)
def test_presence_size_and_class_may_be_asked(text: str) -> None:
    class User:
        password = "abc"

    values = {
        "password": "abc",
        "user": User(),
        "max_tokens": 5,
        "d": {"password": "abc", "api_key": None},
    }
    assert compile_condition(text).holds(values.__getitem__)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("{password}", "name:password"),
        ("{password!r:>10}", "name:password"),
        ("{password=}", "name:password"),
        ("{user.password}", "name:password"),
        ("{user.password.value[0]}", "name:password"),
        ("{d['api_key']}", "name:api_key"),
        ("{token[:2]}", "name:token"),
        ("{credentials['user']}", "name:credentials"),
    ],
)
def test_a_placeholder_shows_the_rule_and_reads_nothing(text: str, rule: str) -> None:
    (placeholder,) = compile_template(text).placeholders
    with pytest.raises(Redacted) as caught:
        placeholder.evaluate(forbidden_scope)
    assert caught.value.rule == rule
    assert rule in caught.value.reason


@pytest.mark.parametrize(
    "text",
    ["{password == 'a'}", "{x or password}", "{pin + 1}", "{d[token]}", "{user[pin].pin}"],
)
def test_a_placeholder_computes_nothing_with_a_secret(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_template(text)
    assert caught.value.slug == "expression-secret"


@pytest.mark.parametrize("key", ["password", b"password", type("S", (str,), {})("API_KEY")])
def test_a_computed_key_is_judged_when_it_is_known(key: object) -> None:
    values = {"d": {"password": "abc", b"password": "abc", "API_KEY": "abc"}, "k": key}
    for text in ("d[k] == 'abc'", "d[k] is None", "len(d[k]) == 3"):
        with pytest.raises(Redacted):
            compile_condition(text).holds(values.__getitem__)


def test_a_reason_never_shows_a_computed_key() -> None:
    values = {"d": {}, "k": "4111 1111 1111 1111"}
    with pytest.raises(Unknown) as caught:
        compile_condition("d[k] == 1").holds(values.__getitem__)
    assert "4111" not in caught.value.reason
