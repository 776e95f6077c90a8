"""Requests and replies of a twin that is stepped: what is written is what is read."""

import json

import pytest

from leadline.wire.errors import WireError
from leadline.wire.messages import encode
from leadline.wire.stepping import (
    MOVES,
    Do,
    Reason,
    Reply,
    Request,
    SourceLine,
    Stand,
    read_reply,
    read_request,
)
from leadline.wire.twin import MAX_LINE_CHARS, Refusal


@pytest.mark.parametrize("do", Do)
def test_a_request_comes_back(do) -> None:
    request = Request(do, "x = 'é\ud800\n'", 7)
    line = encode(request)
    assert b"\n" not in line
    assert read_request(line.decode()) == request


def test_a_request_is_mostly_its_name() -> None:
    assert read_request('{"do": "next"}') == Request(Do.NEXT)
    assert {one for one in Do if one in MOVES} == {*MOVES}


@pytest.mark.parametrize(
    "line",
    [
        "",
        "next",
        "[]",
        "{}",
        '{"do": 3}',
        '{"do": "jump"}',
        '{"do": ["next"]}',
        '{"do": "print", "text": 3}',
        '{"do": "next", "number": "1"}',
        '{"do": "next", "number": true}',
        json.dumps({"do": "run", "text": "x" * (MAX_LINE_CHARS + 1)}),
        "[" * 100_000,
    ],
)
def test_what_is_no_request_is_refused(line) -> None:
    with pytest.raises(WireError):
        read_request(line)


def test_a_reply_comes_back() -> None:
    stand = Stand("a.py", 3, "f", "x = 1", is_selected=True)
    reply = Reply(
        number=3,
        reason=Reason.EXCEPTION,
        stop=stand,
        text="OSError",
        has_value=True,
        value={"type": "OSError", "items": [1]},
        printed="p",
        refused=[Refusal("openat", "/x", 2)],
        frames=[stand, Stand("b.py", 4, "g", is_above=True)],
        lines=[SourceLine(3, "x = 1")],
        variables={"x": 1},
        completions=["x"],
        alive_s=3.5,
    )
    assert read_reply(encode(reply).decode()) == reply
    bare = Reply(0, Reason.LINE)
    assert read_reply(encode(bare).decode()) == bare


@pytest.mark.parametrize(
    "line", ["", "{}", '{"number": 1, "reason": "none"}', '{"reason": "line"}']
)
def test_what_is_no_reply_is_refused(line) -> None:
    with pytest.raises(WireError):
        read_reply(line)
