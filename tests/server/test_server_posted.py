"""Reading a report in one pass says the same as reading it the way that every body goes."""

import json

import pytest

from leadline.server import posted as reading
from leadline.server.posted import posted
from leadline.server.reading import read
from leadline.store.records import new_hit
from leadline.wire.call import CallKind, CallView, Origin
from leadline.wire.errors import WireError
from leadline.wire.hit import (
    Detail,
    FrameView,
    Hit,
    InstanceInfo,
    Point,
    ProbeState,
    Report,
    TaskView,
)
from leadline.wire.messages import encode
from leadline.wire.probe import Fate, Moment, Status
from leadline.wire.twin import TwinView

INFO = InstanceInfo("i1", "shop", 1, "h\u00e4", "p", "3", "0", "pure", 1.0, tags={"zone": "b"})
DETAIL = Detail(
    Moment.EXIT,
    [FrameView("a.py", 3, "f", "x = 1", {"x": {"type": "list", "items": [1, None, 10**30]}})],
    result=1e300,
    duration_s=0.25,
    tasks=[TaskView("t", "g", "a.py", 9)],
    context={"user": "\u00e9"},
)
CALL = CallView(
    "m:f",
    CallKind.COROUTINE,
    returned=False,
    value={"type": "KeyError"},
    arguments={"n": 1},
    fails=True,
    kept={"v": 1, "roots": {"n": 1}, "nodes": []},
    size=40,
    withheld=["n.password (name 'password')"],
    callers=["m:g"],
    home=Origin("3.13.0", "/usr/bin/python", ["/app"], "/app", "/app/m.py"),
)


def hit(**more) -> Hit:
    said = {"message": "x", "values": {"x": 1}, "thread": "Mainz \u00df"} | more
    return Hit("p1", "i1", file="a.py", line=1, function="f", **{"seq": 3, "time": 1.5} | said)


def changed(**more) -> bytes:
    value = json.loads(encode(hit()))
    return json.dumps(json.loads(encode(Report(INFO))) | {"hits": [value | more]}).encode()


AS_AGENTS_WRITE = [
    Report(INFO),
    Report(INFO, [hit(), hit(seq=4, detail=DETAIL, task="t", trace="a", span="b")]),
    Report(INFO, [hit(call=CALL)]),
    Report(INFO, [hit(time=7)], leaving=True, dropped={"buffer full": 3}, faults={"a": 1}),
    Report(
        INFO,
        points=[Point("p1", "i1", 3, 1.0, 1.0, 4, buckets={"z": 4})],
        states=[ProbeState("p1", Status.ARMED, fates={Fate.CAPTURED: 3})],
    ),
]


@pytest.mark.parametrize("report", AS_AGENTS_WRITE)
def test_what_an_agent_writes_is_kept_as_it_is(report):
    came = posted(encode(report))
    assert came.hits == [new_hit(one) for one in report.hits]
    again = read(encode(report), Report)
    assert (came.report.instance, came.report.points, came.report.states) == (
        again.instance, again.points, again.states,
    )  # fmt: skip
    assert (came.report.dropped, came.report.faults, came.report.leaving) == (
        again.dropped, again.faults, again.leaving,
    )  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        encode(Report(INFO, [hit(message="\ud800")])),
        encode(Report(INFO, [hit(values={"x": "\udfff"})])),
        encode(Report(INFO, [hit()])).replace(b",", b",\n"),
        changed(thread="\u00e9").decode("unicode_escape").encode(),
        changed(service="thief", received_at=1, id=7),
        json.dumps({"instance": json.loads(encode(INFO)), "hits": []}, indent=1).encode(),
    ],
)
def test_anything_else_is_read_as_every_body(content):
    came = posted(content)
    assert came.hits is None
    assert came.report == read(content, Report)


@pytest.mark.parametrize(
    "content",
    [
        changed(seq=-1), changed(seq=2**63), changed(line=-1), changed(seq=True),
        changed(values={"x": 1}).replace(b'"x": 1}', b'"x": 1e999}'),
        changed().replace(b'"x": 1}', b'"x": ' + b"9" * 5_000 + b"}"),
        changed().replace(b'"x": 1}', b'"x": ' + b"[" * 98 + b"]" * 98 + b"}"),
        changed().replace(b'"x": 1}', b'"x": NaN}'),
        changed(detail={"moment": "never"}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_all_the_same(content):
    assert reading._as_written(content) is None
    try:
        report = posted(content).report
    except WireError:
        return
    assert report.hits[0].seq in (-1, 2**63) or report.hits[0].line == -1


def test_what_is_many_and_not_deep_goes_the_short_way():
    wide = {"x": {"type": "list", "items": [[] for _ in range(500)]}}
    assert posted(encode(Report(INFO, [hit(values=wide)]))).hits is not None


@pytest.mark.parametrize(
    ("short", "wire"),
    [
        (reading._Hit, Hit), (reading._Detail, Detail), (reading._Frame, FrameView),
        (reading._Task, TaskView), (reading._Report, Report), (reading._Call, CallView),
        (reading._Origin, Origin), (reading._Twin, TwinView),
    ],
)  # fmt: skip
def test_both_ways_know_the_same_members(short, wire):
    assert short.__struct_fields__ == wire.__match_args__
