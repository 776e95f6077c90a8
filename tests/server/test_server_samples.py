"""Captured calls handed out to the agent whose twin is to try a candidate on them."""

import json

import pytest

from leadline.trial import candidate
from leadline.wire import keys
from leadline.wire.hit import Report
from leadline.wire.messages import SAMPLE_PATH, encode
from leadline.wire.sample import MAX_CALLS, Wanted, call_digest, read_sampled
from leadline.wire.struct import replace
from server.test_server_approvals import FIX, agent_key, audit, decided
from server.test_server_captures import CALL, captured, hit_of

__all__ = ["agent_key"]

DIGEST = call_digest(CALL.kept)


def sample(server, service, calls, key="user", **more):
    code = json.dumps(candidate.encode(FIX) | {"calls": calls} | more)
    body = {"use": "sample", "target": "shop:price", "code": [code]}
    return server.request("POST", f"/v1/services/{service}/twins", body, key)


def wanted(server, service, probe, number=1, key=None):
    body = encode(Wanted("i", probe, number))
    return server.request(
        "POST", SAMPLE_PATH, body, key or keys.agent_key(server.keys, service)
    )


@pytest.fixture
def hits(server, instance):
    """The numbers of two captured calls of the service `sampled`."""
    placed = captured(server, "sampled")
    info = instance("sampled", f"i-{placed['id']}")
    first = hit_of(info, placed["id"])
    report = Report(info, [replace(first, seq=number) for number in (1, 2)])
    assert server.report(report).status == 204
    return [hit["id"] for hit in server.hits(f"probe={placed['id']}")]


def test_the_calls_that_an_order_names_are_handed_out(server, hits):
    answer = sample(server, "sampled", [[hits[0], DIGEST], [hits[1], "0" * 64, 3]])
    assert answer.status == 201, answer.json
    probe = answer.json["probe"]["id"]
    came = wanted(server, "sampled", probe)
    assert came.status == 200, came.body
    first, other = read_sampled(came.body)
    assert (first.number, call_digest(first.document)) == (1, DIGEST)
    assert (other.number, other.document) == (2, None), "its digest is another one"
    assert [one.number for one in read_sampled(wanted(server, "sampled", probe, 2).body)] == [2]
    assert read_sampled(wanted(server, "sampled", probe, 3).body) == []


def test_nobody_else_is_handed_any(server, hits, instance):
    probe = sample(server, "sampled", [[hits[0], DIGEST]]).json["probe"]["id"]
    assert wanted(server, "another", probe).slug == "no-such-probe"
    assert wanted(server, "sampled", probe, key="user").status == 403
    assert wanted(server, "sampled", captured(server, "sampled")["id"]).slug == "no-such-probe"
    other = sample(server, "another", [[hits[0], DIGEST]]).json["probe"]["id"]
    (call,) = read_sampled(wanted(server, "another", other).body)
    assert call.document is None, "the hit is of another service"


@pytest.mark.parametrize(
    "calls",
    [[], None, [[1]], [["1", DIGEST]], [[1, "x"]], [[1, DIGEST, -1]], [[0, DIGEST]],
     [[1, DIGEST]] * (MAX_CALLS + 1)],
)  # fmt: skip
def test_what_names_no_calls_is_no_order(server, calls):
    assert sample(server, "sampled", calls).slug == "bad-twin"


def test_how_long_a_run_may_take_is_bounded(server):
    assert sample(server, "sampled", [[1, DIGEST]], within_s=1e9).slug == "bad-twin"


def test_a_sample_waits_for_an_approval_as_any_candidate_does(server, hits, agent_key):
    answer = sample(server, "sampled", [[hits[0], DIGEST]], agent_key)
    assert answer.status == 202, answer.json
    waiting = answer.json["approval"]
    assert waiting["calls"] == 1
    page = server.request("GET", waiting["address"]).body.decode()
    assert "1 captured calls" in page
    placed = decided(server, waiting["id"], "approve", "user").json["approval"]
    (call,) = read_sampled(wanted(server, "sampled", placed["probe"]).body)
    assert call.document is not None
    told = [
        one["detail"] for one in audit(server, "sampled") if one["probe"] == placed["probe"]
    ]
    assert any(DIGEST in str(one.get("code")) for one in told), "what it ran on is in the log"
