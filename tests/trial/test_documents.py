"""JSON texts, compared value by value."""

import json
import random

import pytest

from leadline.trial.documents import Spot, spots


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        ('{"total": 2}', '{"total": 3}', [Spot("['total']", 2, 3)]),
        (
            '{"a": [1, {"b": "x"}]}',
            '{"a": [1, {"b": null}]}',
            [Spot("['a'][1]['b']", "x", None)],
        ),
        ("[1, 2]\n", "[1, 2]\n", []),
        ('{"a": {}, "b": 1}', '{"a": {}, "b": 2}', [Spot("['b']", 1, 2)]),
        ('{"a": [[], []], "b": 1}', '{"a": [[], []], "b": 2}', [Spot("['b']", 1, 2)]),
        ('["\\"{", 1]', '["\\"{", 2]', [Spot("[1]", 1, 2)]),
        ("[1.0]", "[1.00]", None),
        ('["\\u0041"]', '["A"]', None),
        ("[1]", "[1 ]", None),
        ('{"a": 1}', '{"b": 1}', None),
        ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}', None),
        ('{"a": 1}', '{"a": [1]}', None),
        ("[1]", "[1, 2]", None),
        ('"text"', '"other"', None),
        ("1", "2", None),
        ("{nothing}", "{nothing}", None),
        ("", "", None),
        ("[NaN, 1]", "[Infinity, 2]", None),
        ("[1, true]", "[1.0, 1]", [Spot("[0]", 1, 1.0), Spot("[1]", True, 1)]),
        ("[" * 100_000, "[" * 100_000, None),
    ],
)
def test_where_two_texts_differ(one, other, wanted):
    assert spots(one, other) == wanted


def test_whatever_differs_is_found_or_the_whole_text_is():
    chance = random.Random(7)
    for _ in range(300):
        value = made(chance, 0)
        text = json.dumps(value, indent=chance.choice((None, 1)))
        at = chance.randrange(len(text))
        other = text[:at] + chance.choice('0a" {[,') + text[at + 1 :]
        found = spots(text, other)
        if other == text:
            assert not found
        else:
            assert found is None or len(found) >= 1


def made(chance, depth):
    kind = chance.randrange(6 if depth < 4 else 4)
    if kind == 4 or depth == 0:
        return {f"k{n}": made(chance, depth + 1) for n in range(chance.randrange(4))}
    if kind == 5:
        return [made(chance, depth + 1) for _ in range(chance.randrange(4))]
    return (None, chance.random() < 0.5, chance.randrange(1000), 'te"xt')[kind]
