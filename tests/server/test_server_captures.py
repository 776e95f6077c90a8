"""Captured calls at the server: placed like any probe, stored, listed, searched and shown."""

import html
import json

import pytest

from leadline.wire.call import CallKind, CallView, Origin
from leadline.wire.carriage import MARK, carried
from leadline.wire.hit import Hit, ProbeState, Report
from leadline.wire.keys import agent_key
from leadline.wire.messages import encode
from leadline.wire.probe import Fate, Status
from leadline.wire.struct import replace

HOME = Origin("3.13.0", "/usr/bin/python", ["/app"], "/app", "/app/shop/pricing.py")
CALL = CallView(
    "shop.pricing:quote",
    CallKind.FUNCTION,
    returned=False,
    value={"type": "ZeroDivisionError", "items": ["division by zero"], "form": "call"},
    arguments={"amount": 42, "people": 0},
    fails=True,
    kept={"v": 1, "roots": {"amount": 42, "people": 0}, "nodes": []},
    size=3_100,
    withheld=["customer.email (name 'email')"],
    callers=["shop.checkout:price_basket"],
    duration_s=0.002,
    home=HOME,
)
ORDER = {
    "kind": "capture",
    "target": "shop.pricing:quote",
    "fails": "raises ZeroDivisionError or result['total'] < 0",
}


def captured(server, service, **more):
    answer = server.request("POST", f"/v1/services/{service}/probes", ORDER | more)
    assert answer.status == 201, answer.json
    return answer.json["probe"]


def hit_of(info, probe: str, call: CallView = CALL) -> Hit:
    words = "quote(…) raised ZeroDivisionError('division by zero'), kept 3.1 kB"
    return Hit(probe, info.id, 1, 1.5, "Main", "p.py", 3, "quote", words, call=call)


def test_a_capture_is_placed_with_its_defaults(server) -> None:
    placed = captured(server, "defaults")
    assert (placed["kind"], placed["moment"]) == ("capture", "entry")
    assert placed["fails"] == ORDER["fails"]
    limits = placed["limits"]
    assert (limits["hits"], limits["ttl_s"], limits["rate_per_s"]) == (200, 600.0, 20.0)


@pytest.mark.parametrize(
    ("more", "slug"),
    [
        ({"target": "shop/pricing.py:3"}, "bad-target"),
        ({"target": "*"}, "bad-target"),
        ({"moment": "exit"}, "bad-moment"),
        ({"fails": "open('x')"}, "expression-forbidden"),
        ({"fails": "x" * 3_000}, "too-long"),
        ({"limits": {"hits": 10_001}}, "bad-limit"),
        ({"template": "x"}, "bad-message"),
        ({"kind": "counter"}, "bad-message"),
    ],
)
def test_what_can_never_work_is_refused(server, more, slug) -> None:
    answer = server.request("POST", "/v1/services/refused/probes", ORDER | more)
    assert answer.slug == slug


def test_a_call_is_stored_listed_searched_and_shown(server, instance) -> None:
    info = instance("calls", "i-calls")
    placed = captured(server, "calls")
    watching = server.watch(f"probe={placed['id']}").opened()
    assert server.report(Report(info, [hit_of(info, placed["id"])])).status == 204
    name, came = watching.next()
    (listed,) = server.hits(f"probe={placed['id']}")
    assert name == "hit"
    assert came["call"] == listed["call"] == json.loads(encode(CALL))
    assert server.hits("kind=capture")[-1]["id"] == listed["id"]
    for value in ("amount%20=%2042", "exception%20~%20division"):
        assert server.hits(f"probe={placed['id']}&value={value}"), value
    assert not server.hits(f"probe={placed['id']}&value=amount%20=%2043")


def test_a_call_is_stored_as_it_was_before_it_travelled(server, instance) -> None:
    info = instance("carried", "i-carried")
    placed = captured(server, "carried")
    document = {
        "v": 1,
        "roots": {"cart": [0]},
        "nodes": [{"k": "list", "i": [[1], [0]]}, {"k": "dict", "p": [["\ud800", 1]]}],
    }
    inner = {"type": "dict", "length": 1, "entries": [["\ud800", 1]]}
    outer = {
        "type": "list",
        "length": 2,
        "items": [inner, {"type": "list", "omitted": "cycle"}],
    }
    call = replace(CALL, kept=document, arguments={"cart": outer})
    report = Report(info, [hit_of(info, placed["id"], carried(call))])
    assert MARK in encode(report)
    assert server.report(report).status == 204
    (listed,) = server.hits(f"probe={placed['id']}")
    assert listed["call"] == json.loads(encode(call))
    content = encode(report).replace(b'"nodes":[', b'"nodes":[[7],')
    answer = server.request(
        "POST", "/v1/agent/report", content, agent_key(server.keys, "carried")
    )
    assert answer.slug == "bad-message"


def test_why_says_what_was_not_chosen(server, instance) -> None:
    info = instance("why", "i-why")
    placed = captured(server, "why")
    server.connect(info).next()
    fates = {Fate.CAPTURED: 3, Fate.RATE_LIMITED: 7}
    state = ProbeState(placed["id"], Status.ARMED, fates=fates)
    assert server.report(Report(info, states=[state])).status == 204
    (one,) = server.probe(placed["id"])["instances"]
    assert one["why"] == "armed; captured 3 times, not chosen 7 times"


def test_a_call_that_breaks_the_contract_is_refused(server, instance) -> None:
    info = instance("broken-calls", "i-broken-calls")
    placed = captured(server, "broken-calls")
    content = json.loads(encode(Report(info, [hit_of(info, placed["id"])])))
    key = agent_key(server.keys, "broken-calls")
    for name, value in (("kind", "macro"), ("callers", [1]), ("kept", 3), ("home", {})):
        bad = json.loads(json.dumps(content))
        bad["hits"][0]["call"][name] = value
        answer = server.request("POST", "/v1/agent/report", bad, key)
        assert answer.slug == "bad-message", name


def test_the_page_of_a_call_says_what_there_is(server, instance) -> None:
    info = instance("paged", "i-paged")
    placed = captured(server, "paged")
    assert server.report(Report(info, [hit_of(info, placed["id"])])).status == 204
    (listed,) = server.hits(f"probe={placed['id']}")
    for path, wanted in (
        (
            f"/hits/{listed['id']}",
            (
                "division by zero",
                "arguments at its end",
                "Its arguments at its beginning are kept (3.1 kB): amount, people.",
                "Held back: customer.email",
                "It fails.",
                "Called by shop.checkout:price_basket.",
                ">capture<",
            ),
        ),
        (f"/hits?probe={placed['id']}", ("kept 3.1 kB", "capture")),
        (f"/probes/{placed['id']}", ("raises ZeroDivisionError or",)),
    ):
        answer = server.request("GET", path)
        assert answer.status == 200, answer
        text = html.unescape(answer.body.decode())
        for words in wanted:
            assert words in text, (path, words)
