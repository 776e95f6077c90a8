"""Which hits a person means who writes `user.id = 42`."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.store.value_filter import value_filter
from leadline.wire.errors import WireError

USER = {
    "type": "User",
    "fields": {
        "id": 42,
        "name": "Ada",
        "active": True,
        "password": {"type": "str", "omitted": "redacted", "rule": "name:password"},
        "roles": {"type": "list", "length": 2, "items": ["admin", "dev"]},
        "address": {"type": "dict", "entries": [["city", "Köln"], [7, "x"]]},
        "color": {"type": "Color", "form": "member", "text": "RED", "about": {"value": 1}},
    },
}
LONG = {"type": "str", "text": "abc", "length": 300, "omitted": "text"}
PRICE = {"type": "Decimal", "text": "12.50"}
BORN = {"type": "date", "text": "1815-12-10"}
HIT = {
    "values": {"len(lines)": 3, "user.id": 42},
    "detail": {
        "frames": [
            {
                "locals": {
                    "user": USER,
                    "long": LONG,
                    "price": PRICE,
                    "born": BORN,
                    "code": "42",
                }
            },
            {"locals": {"outer": None, "size": 1.5}},
        ],
        "returned": True,
        "result": 7,
        "exception": None,
        "context": {"request": "r-1"},
    },
}


@pytest.mark.parametrize(
    "text",
    [
        "user.id = 42",
        "user.id == 42",
        "user.id=42",
        "user.id > 41.5",
        "user.id >= 42",
        "user.id != 41",
        "len(lines) < 4",
        "user.name = Ada",
        "user.name = 'Ada'",
        "user.name ~ aD",
        "user.active = True",
        "user.roles[1] = dev",
        "user.roles ~ admin",
        "user.address['city'] = Köln",
        'user.address["city"] = Köln',
        "user.address[7] = x",
        "user.color = RED",
        "price <= 12.5",
        "born < 1900",
        "code = 42",
        "outer = None",
        "size = 1.5",
        "result = 7",
        "request = r-1",
    ],
)
def test_what_is_meant_is_found(text):
    assert value_filter(text).matches(json.dumps(HIT))


@pytest.mark.parametrize(
    "text",
    [
        "user.id = 41",
        "user.id = '42'",
        "user.id ~ 7",
        "user.id != 42",
        "user.active = 1",
        "user.name = ada",
        "user.nobody = 1",
        "nobody = 1",
        "user.roles[9] = dev",
        "user.password != x",
        "long = abc",
        "long != abc",
        "exception = None",
        "user = User",
    ],
)
def test_what_is_not_meant_is_not(text):
    assert not value_filter(text).matches(json.dumps(HIT))


@pytest.mark.parametrize("text", ["", "user.id", "= 42", "x" * 600 + " = 1"])
def test_what_is_no_filter_is_refused(text):
    with pytest.raises(WireError, match="chooses no value"):
        value_filter(text)


@given(
    st.text(max_size=60),
    st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "~"]),
    st.text(max_size=60),
)
def test_no_text_breaks_it(name, sign, wanted):
    try:
        chosen = value_filter(f"{name} {sign} {wanted}")
    except WireError:
        return
    chosen.matches(json.dumps({"values": {name.strip(): wanted, "x": USER}}))
