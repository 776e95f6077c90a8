"""T13 and T17: whatever is asked of whatever object, no code of the application runs."""

import gc
import sys
import weakref
from collections.abc import Callable
from contextlib import suppress

import pytest

from hostile import Described, calls, zoo
from leadline.expression import Unknown, compile_condition, compile_template
from leadline.expression.reading import (
    attribute,
    forget_layouts,
    item,
    layout_of,
    length,
    plain,
    type_names,
)

NAMES = ["name", "total", "telling", "lazy", "plain", "empty", "missing", "args", "k", "value"]
CONDITIONS = [
    *(f"x.{name} == 1" for name in NAMES),
    *(f"x {op} y" for op in ("==", "!=", "<", "<=", ">", ">=", "in", "not in")),
    *(f"x {op} 5" for op in ("==", "!=", "<", "<=", ">", ">=")),
    *(f"5 {op} x" for op in ("==", "<", "in", "not in")),
    *(f'x {op} "text"' for op in ("==", "!=", "<", "in")),
    *("'k' in x", "None in x", "1.0 in x", "x == None", "None == x", "x in (1, 'a', None)"),
    *("x == (1, 2, 3)", "x != [1, 2, 3]", "1 < x < 3 < y", "x is None", "x is not True"),
    *("x['k'] == 1", "x[1] == 1", "x[None]", "x[1.0]", "x[y]", "y[x]", "x[-1]", "x[x]"),
    *("x[1:3]", "x[::-1]", "x[:100000]", "x", "not x", "x and y", "x or y", "-x", "x + y"),
    *("x + 1", "1 - x", "x * 2", "2 / x", "x // 2", "7 % x", "len(x) == 3"),
    *("isinstance(x, Every)", "isinstance(x, (int, hostile.EvilKind))"),
    *("x.startswith('t')", "x.endswith(y)", "'text'.startswith(x)", "x.name.name['k'][0] == y"),
]


def told(ask: Callable[..., object], *args: object) -> object:
    """Return the answer, or the reason why there is none."""
    try:
        return ask(*args)
    except Unknown as unknown:
        return unknown.reason


@pytest.mark.parametrize("text", CONDITIONS)
def test_no_condition_runs_code_of_any_animal(text: str) -> None:
    condition = compile_condition(text)
    animals = zoo()
    for x in animals.values():
        for y in animals.values():
            answer = told(condition.holds, {"x": x, "y": y}.__getitem__)
            assert calls == []
            assert type(answer) is bool or (type(answer) is str and answer)


def test_no_placeholder_runs_code_of_any_animal() -> None:
    template = compile_template("{x} {x.name} {x['k']:>10} {x.total!r} {x[0]=}")
    for x in zoo().values():
        for placeholder in template.placeholders:
            told(placeholder.evaluate, lambda _, x=x: x)
        assert template.placeholders[0].evaluate(lambda _, x=x: x) is x
        assert calls == []


def test_reading_runs_no_code_of_any_animal() -> None:
    forget_layouts()
    for x in zoo().values():
        layout = layout_of(type(x))
        assert type(layout.name) is str
        assert type_names(x)[-1] == "builtins.object"
        for read in (length, plain, *(lambda x, k=k: item(x, k) for k in ("k", 1, None, b"k"))):
            told(read, x)
        for name in NAMES:
            told(attribute, x, name)
        if layout.namespace is not None:
            layout.namespace(x)
        for _, getter in layout.slots:
            try:
                getter(x)
            except AttributeError:
                continue
        assert calls == []


def test_each_animal_does_bite() -> None:
    """The zoo proves nothing unless ordinary Python would run its code."""
    questions = (
        lambda x: x == 5,
        lambda x: x == x,  # noqa: PLR0124
        lambda x: x.name,
        lambda x: x.telling,
        lambda x: x.__dict__,
        lambda x: isinstance(x, str),
        lambda x: x["k"],
        lambda x: x["z"],
        lambda x: "k" in x,
        next,
        lambda x: x(),
        lambda x: x.__self__ == 5,
        lambda x: hash(x.__class__),
    )
    tame = set()
    for name, x in zoo().items():
        calls.clear()
        for question in questions:
            with suppress(Exception):
                question(x)
        if not calls:
            tame.add(name)
    calls.clear()
    assert tame <= {
        "cycle",
        "exception",
        "user_dict",
        "pair_of_evil",
        "lying_pair",
        "bound_method",
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("described.telling == 5", "Described.telling is a Telling: reading it would run"),
        ("described.lazy == 5", "Described.lazy is a Lazy: reading it would run its code"),
        ("every_operation.total == 5", "Every.total is a property: reading it would run"),
        ("every_operation.other == 5", "Every.other is made up by __getattr__"),
        ("intercepting.name == 5", "Intercepting.name goes through a __getattribute__"),
        ("slotted.empty == 5", "Slotted.empty is not set"),
        ("slotted.missing == 5", "a Slotted holds no missing"),
        ("slotted == 5", "a Slotted compares with its own code"),
        ("every_operation", "whether a Every is true is decided by its own code"),
        ("len(every_operation) == 3", "how long a Every is, is decided by its own code"),
        ("every_operation[1] == 3", "what [] means on a Every is decided by its own code"),
        ("5 in every_operation", "what is in a Every is decided by its own code"),
        ("colliding_only['k'] == 1", "whether a Colliding is the key 'k' is decided by its"),
        ("colliding_dict['z'] == 1", "whether a Colliding is the key 'z' is decided by its"),
        ("default_dict['z'] == 1", "no key 'z'"),
        ("dict_subclass['k'] == 1", "what [] means on a EvilDict is decided by its own code"),
        ("str_subclass == 'text'", "a EvilStr compares with its own code"),
    ],
)
def test_what_needs_the_application_is_unknown_with_a_reason(text: str, reason: str) -> None:
    animals = zoo()
    with pytest.raises(Unknown) as caught:
        compile_condition(text).holds(animals.__getitem__)
    assert caught.value.reason.startswith(reason)
    assert calls == []


@pytest.mark.parametrize(
    "text",
    [
        "described.plain == 11",
        "described.name == 'described'",
        "slotted.name == 'slotted'",
        "hostile_namespace.name == 'namespace'",
        "hostile_class.name == 'class'",
        "kind.name == 'kind'",
        "colliding_dict['k'] == 3",
        "default_dict['a'] == 1",
        "pair_of_evil.name.name == 'kind'",
        "exception.args[0].name == 'kind'",
        "isinstance(kind, EvilKind) and isinstance(exception, (KeyError, ValueError))",
        "isinstance(dict_subclass, dict) and not isinstance(slotted, int)",
        "slotted is not None and len(list_of_evil) == 3",
        "kind and described and generator",
    ],
)
def test_what_lies_there_is_read(text: str) -> None:
    animals = zoo()
    assert compile_condition(text).holds(animals.__getitem__)
    assert calls == []


def test_audit_hooks_hear_nothing() -> None:
    """`tb_frame` looks like a slot, but reading it tells the hooks of the application."""
    heard: list[str] = []
    active = True

    def hook(event: str, _: object) -> None:
        if active and event.startswith("object.__getattr__"):
            heard.append(event)

    sys.addaudithook(hook)
    with pytest.raises(ZeroDivisionError) as caught:
        1 / 0  # noqa: B018
    traceback = caught.value.__traceback__
    heard.clear()
    with pytest.raises(Unknown):
        attribute(traceback, "tb_frame")
    assert "tb_frame" not in dict(layout_of(type(traceback)).slots)
    assert attribute(traceback, "tb_lasti") == traceback.tb_lasti
    active = False
    assert heard == []


@pytest.mark.parametrize(
    "text",
    ["x.missing", "x == 1", "1 in y", "x in z[1:]", "y == z", "x.name.a", "x < 1", "y[x]"],
)
def test_an_answer_keeps_no_object_of_the_application(text: str) -> None:
    condition = compile_condition(text)
    forget_layouts()
    gc.disable()
    try:
        x = Comparing()
        alive = weakref.ref(x)
        with pytest.raises(Unknown):
            condition.holds({"x": x, "y": [Comparing(), x], "z": [x, 1]}.__getitem__)
        del x
        assert alive() is None
    finally:
        gc.enable()


class Comparing(Described):
    """Compares with code, so that most answers about it are unknown."""

    def __eq__(self, other: object) -> bool:
        raise AssertionError

    __hash__ = None
