"""Candidates that wait for a person: who asks, who decides, and what an agent gets of it."""

import json

import pytest

from leadline.control import approvals
from leadline.trial import candidate
from leadline.wire.keys import NamedKey, digest_of, load, new_user_key, write
from leadline.wire.messages import decode_probes
from leadline.wire.struct import replace
from leadline.wire.twin import MAX_CANDIDATE_CHARS, TwinUse, code_digest

OLD = "def price(goods):\n    return goods + 450\n"
FIX = candidate.make(
    "free from 5,000",
    [
        candidate.of_texts(
            "/srv/shop.py", OLD, OLD.replace("450", "(450 if goods < 5000 else 0)")
        )
    ],
)
CODE = json.dumps(candidate.encode(FIX))


def asked(server, service, key, **more):
    body = {"use": "verify", "target": "shop:price", "code": [CODE], **more}
    return server.request("POST", f"/v1/services/{service}/twins", body, key)


def decided(server, name, what, key, digest=FIX.digest):
    path = f"/v1/approvals/{name}/{what}"
    return server.request("POST", path, {"digest": digest}, key)


@pytest.fixture
def agent_key(server):
    """The key of somebody who may look, and not run code."""
    key = new_user_key()
    path = server.folder / "keys.json"
    keys = load(path)
    named = (*keys.named, NamedKey("robot", digest_of(key), 1.0, ()))
    write(path, replace(keys, named=named), replace=True)
    return key


def audit(server, service):
    entries = server.request("GET", "/v1/audit?limit=1000").json["entries"]
    return [one for one in entries if one["service"] == service]


def test_who_may_not_run_code_has_it_wait_for_somebody_who_may(server, instance, agent_key):
    stream = server.connect(instance("waits", "i-waits"))
    assert stream.next()[0] == "set"
    answer = asked(server, "waits", agent_key, hits=7, condition="goods > 1")
    assert answer.status == 202
    waiting = answer.json["approval"]
    name = waiting["id"]
    assert (waiting["decision"], waiting["who"], waiting["probe"]) == ("waiting", "robot", "")
    assert waiting["address"] == f"/approvals/{name}"
    assert (waiting["title"], waiting["digest"]) == (FIX.title, FIX.digest)
    assert "-    return goods + 450\n+    return goods + (450" in waiting["diff"]
    found = server.request("GET", f"/v1/approvals/{name}", key=agent_key).json["approval"]
    assert found == waiting

    done = decided(server, name, "approve", "user")
    assert done.status == 200, done.body
    placed = done.json["approval"]
    assert (placed["decision"], placed["by"]) == ("approved", "user")
    event, data = stream.next()
    assert event == "add"
    (probe,) = decode_probes(data["probes"])
    assert (probe.id, probe.use, probe.code) == (placed["probe"], TwinUse.VERIFY, (CODE,))
    assert (probe.limits.hits, probe.condition) == (7, "goods > 1")
    found = server.request("GET", f"/v1/approvals/{name}", key=agent_key).json["approval"]
    assert (found["decision"], found["probe"]) == ("approved", placed["probe"])

    entries = {one["action"]: one for one in audit(server, "waits")}
    assert entries["approval-asked"]["who"] == "robot"
    assert (entries["approved"]["who"], entries["twin"]["who"]) == ("user", "user")
    assert entries["approved"]["detail"]["asked_by"] == "robot"
    assert entries["approved"]["detail"]["digest"] == FIX.digest
    assert entries["twin"]["detail"]["digest"] == code_digest((CODE,))
    assert entries["twin"]["detail"]["candidate"] == {"title": FIX.title, "digest": FIX.digest}


def test_of_a_candidate_the_audit_log_has_what_it_changes_and_no_other_line(server):
    old = f'TOKEN = "s3cret"\n{OLD}PIN = "s3cret"\n\ndef last():\n    return 1\n'
    new = old.replace("450", "460").replace("return 1", "return 2")
    made = candidate.make("two lines", [candidate.of_texts("/srv/shop.py", old, new)])
    code = [json.dumps({**candidate.encode(made), "fails": "raises KeyError"})]
    assert asked(server, "lines", "user", code=code).status < 300
    (entry,) = audit(server, "lines")
    assert entry["detail"]["digest"] == code_digest(tuple(code))
    changed, rest = entry["detail"]["code"]
    assert json.loads(rest)["fails"] == "raises KeyError"
    assert "s3cret" not in rest
    assert changed.split("\n") == [
        "--- /srv/shop.py", "+++ /srv/shop.py",
        "@@ -3,1 +3,1 @@", "-    return goods + 450", "+    return goods + 460",
        "@@ -7,1 +7,1 @@", "-    return 1", "+    return 2",
    ]  # fmt: skip


def test_nobody_decides_who_may_not_run_code_nor_twice(server, agent_key):
    name = asked(server, "twice", agent_key).json["approval"]["id"]
    for what in ("approve", "refuse"):
        refused = decided(server, name, what, agent_key)
        assert (refused.status, refused.json["error"]["slug"]) == (403, "no-twin-right")
    other = decided(server, name, "approve", "user", "0" * 64)
    assert (other.status, other.json["error"]["slug"]) == (409, "wrong-candidate")
    assert decided(server, name, "refuse", "user").json["approval"]["decision"] == "refused"
    late = decided(server, name, "approve", "user")
    assert (late.status, late.json["error"]["slug"]) == (409, "already-decided")
    assert server.request("GET", "/v1/probes?service=twice").json["probes"] == []
    assert [one["action"] for one in audit(server, "twice")][-1] == "approval-refused"


def test_what_a_key_has_asked_for_is_refused_once_it_is_revoked(server):
    for name in ("gone", "stays"):
        body = {"name": name, "may": []}
        key = server.request("POST", "/v1/keys", body).json["key"]
        waits = asked(server, "revoked", key).json["approval"]["id"]
        if name == "gone":
            taken = waits
    server.request("DELETE", "/v1/keys/gone")
    late = decided(server, taken, "approve", "user")
    assert (late.status, late.json["error"]["slug"]) == (409, "already-decided")
    assert decided(server, waits, "approve", "user").status == 200
    asked_by = [
        one["detail"]["asked_by"]
        for one in audit(server, "revoked")
        if one["action"] == "approval-refused"
    ]
    assert asked_by == ["gone"]


def test_only_a_candidate_waits(server, agent_key):
    for body in (
        {"use": "ask", "target": "app.py:3", "code": ["1"]},
        {"use": "shell", "target": "app.py:3"},
        {"use": "rerun", "target": "app:f"},
    ):
        answer = server.request("POST", "/v1/services/only/twins", body, agent_key)
        assert (answer.status, answer.json["error"]["slug"]) == (403, "no-twin-right")
    broken = candidate.make("x", [candidate.of_texts("/srv/shop.py", OLD, "def price(:\n")])
    answer = asked(server, "only", agent_key, code=[json.dumps(candidate.encode(broken))])
    assert (answer.status, answer.json["error"]["slug"]) == (400, "bad-twin")
    assert "/srv/shop.py:1 cannot be compiled" in answer.json["error"]["message"]
    missing = server.request("GET", "/v1/approvals/none")
    assert (missing.status, missing.json["error"]["slug"]) == (404, "no-such-approval")


def test_who_may_places_it_at_once_and_a_large_one_travels(server, instance):
    stream = server.connect(instance("large", "i-large"))
    stream.next()
    room = MAX_CANDIDATE_CHARS - 2 * len(CODE)
    old = OLD + "# " + "x" * (room // 2 - len(OLD)) + "\n"
    large = candidate.make("large", [candidate.of_texts("/srv/shop.py", old, old + "# y\n")])
    code = json.dumps(candidate.encode(large))
    assert asked(server, "large", "user", code=[code]).status == 201
    (probe,) = decode_probes(stream.next()[1]["probes"])
    assert probe.code == (code,)
    (shown,) = server.request("GET", "/v1/probes?service=large").json["probes"]
    assert shown["code"] == [f"candidate large, digest {large.digest}"]
    answer = asked(server, "large", "user", code=[code + " " * MAX_CANDIDATE_CHARS])
    assert (answer.status, answer.json["error"]["slug"]) == (400, "too-long")


def test_an_order_waits_for_an_hour_and_no_more_than_a_hundred_do(server, agent_key):
    known = [asked(server, "many", agent_key).status for _ in range(approvals.MAX_WAITING + 1)]
    assert known[-1] == 403
    assert set(known[:50]) == {202}


def test_an_order_that_nobody_decided_is_over():
    waiting = approvals.Approvals()
    view = approvals.ApprovalView(
        "a", approvals.Decision.WAITING, "/approvals/a", "s", "m:f", "t", "d", "w", 5.0, 10.0
    )
    waiting.add(view, None)
    assert waiting.show("a", 9.9) == view
    assert waiting.show("a", 10.0).decision is approvals.Decision.EXPIRED
