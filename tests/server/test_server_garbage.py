"""Whatever arrives is answered in one form; the insides stay inside, and the server up."""

import contextlib
import json
import re
import socket
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadline.control.times import FIRST_TIME, LAST_TIME
from leadline.wire.hit import Hit, Point, Report
from leadline.wire.keys import agent_key
from leadline.wire.messages import CONNECT_PATH, MAX_REPORT_BYTES, REPORT_PATH, encode

PLACES = "/v1/services/garbage/probes"


def deep(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


GARBAGE = {
    "empty": b"",
    "no json": b"{",
    "no utf-8": b'{"kind": "\xff"}',
    "utf-16": '{"kind": "log"}'.encode("utf-16"),
    "null": b"null",
    "number": b"5",
    "huge number": b"9" * 5000,
    "infinite": b'{"kind": 1e999}',
    "nan": b"NaN",
    "deep": deep(50_000),
    "deep in a member": b'{"kind": ' + deep(5_000) + b"}",
    "two values": b"{} {}",
    "zero byte": b"\0",
    "lone surrogate": rb'{"\ud800": "\udfff"}',
    "same member twice": b'{"kind": 1, "kind": 2}',
}


@pytest.mark.parametrize("name", GARBAGE)
@pytest.mark.parametrize("path", [PLACES, CONNECT_PATH, REPORT_PATH])
def test_garbage_is_refused_in_one_form(server, name, path):
    key = "user" if path == PLACES else agent_key(server.keys, "garbage")
    answer = server.request("POST", path, GARBAGE[name], key)
    assert (answer.status, answer.slug) in [(400, "bad-message"), (413, "too-large")]
    assert set(answer.json) == {"schema_version", "error"}
    assert set(answer.json["error"]) == {"slug", "message", "hint"}
    assert b"Traceback" not in answer.body
    assert b"leadline/" not in answer.body


def report_text(info, **hit) -> bytes:
    value = json.loads(encode(Report(info)))
    value["hits"] = [
        {
            "probe": "p1",
            "instance": info.id,
            "seq": 1,
            "time": 1.0,
            "thread": "t",
            "file": "f",
            "line": 1,
            "function": "g",
            "message": "m",
            "values": {},
        }
        | hit
    ]
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    "hit",
    [
        {"seq": -1}, {"seq": 2**63}, {"seq": 10**400}, {"seq": 1.5}, {"seq": "1"},
        {"seq": True},
        {"line": -1}, {"line": 10**4000}, {"instance": "another"}, {"time": "now"},
        {"time": float("inf")}, {"time": float("nan")}, {"time": 1e300}, {"time": -1e12},
        {"values": []}, {"message": None},
        {"values": {"x": float("inf")}}, {"probe": 1},
    ],
    ids=str,
)  # fmt: skip
def test_a_hit_that_breaks_the_contract_is_refused_whole(server, instance, hit):
    info = instance("garbage", "b1")
    content = report_text(info, **hit)
    answer = server.request("POST", REPORT_PATH, content, agent_key(server.keys, "garbage"))
    assert (answer.status, answer.slug) == (400, "bad-message")


@pytest.mark.parametrize("at", [1e300, -1e300, LAST_TIME + 1])
def test_a_point_of_no_date_is_refused(server, instance, at):
    info = instance("garbage", "b4")
    point = Point("p1", info.id, 0, at, 1.0, 1)
    answer = server.report(Report(info, points=[point]))
    assert (answer.status, answer.slug) == (400, "bad-message")


@pytest.mark.parametrize("at", [FIRST_TIME, -1.0, LAST_TIME])
def test_pages_show_every_time_that_is_let_in(server, instance, at):
    service = f"times{at:.0f}"
    info, probe = instance(service, f"t{at:.0f}"), server.place(service)["id"]
    hit = Hit(probe, info.id, 0, at, "t", "app.py", 3, "f", "m")
    assert server.report(Report(info, [hit])).status == 204
    for path in ("/hits", "/parts/hits-over-time", "/hits/export.csv", "/hits/export.json"):
        assert server.request("GET", f"{path}?service={service}").status == 200
    assert server.request("GET", f"/probes/{probe}").status == 200


@pytest.mark.parametrize(
    "change",
    [
        {"dropped": {"x": 10**4000}},
        {"dropped": {str(n): 1 for n in range(101)}},
        {"faults": {"x" * 501: 1}},
        {"states": [{"probe": "p1", "status": "dancing"}]},
        {"states": [{"probe": "p1", "status": "armed", "cost_ns": 10**4000}]},
        {"states": [{"probe": "p1", "status": "armed", "fates": {"eaten": 1}}]},
        {"states": [{"probe": "p1", "status": "armed", "fates": {"captured": 10**4000}}]},
    ],
    ids=lambda change: str(change)[:40],
)
def test_a_report_that_breaks_the_contract_is_refused(server, instance, change):
    value = json.loads(encode(Report(instance("garbage", "b2")))) | change
    key = agent_key(server.keys, "garbage")
    answer = server.request("POST", REPORT_PATH, json.dumps(value).encode(), key)
    assert (answer.status, answer.slug) == (400, "bad-message")


@pytest.mark.parametrize(
    ("change", "slug"),
    [
        ({"id": ""}, "bad-message"), ({"id": "a b"}, "bad-message"),
        ({"id": "x" * 101}, "bad-message"), ({"id": "\ud800"}, "bad-message"),
        ({"pid": -1}, "bad-message"), ({"host": "h" * 501}, "bad-message"),
        ({"service": "other"}, "wrong-service"), ({"started_at": None}, "bad-message"),
        ({"started_at": 1e300}, "bad-message"),
    ],
)  # fmt: skip
def test_an_instance_that_cannot_be(server, instance, change, slug):
    value = json.loads(encode(instance("garbage", "b3"))) | change
    key = agent_key(server.keys, "garbage")
    for path, body in ((CONNECT_PATH, value), (REPORT_PATH, {"instance": value})):
        assert server.request("POST", path, json.dumps(body).encode(), key).slug == slug


def test_an_instance_may_have_lone_surrogates_in_its_texts(server, instance):
    value = json.loads(encode(instance("surrogates", "b4"))) | {"program": "a\udc80.py"}
    key = agent_key(server.keys, "surrogates")
    content = json.dumps({"instance": value}).encode()
    assert server.request("POST", REPORT_PATH, content, key).status == 204
    services = server.request("GET", "/v1/services").json["services"]
    (service,) = [s for s in services if s["service"] == "surrogates"]
    assert service["instances"][0]["info"]["program"] == "a\udc80.py"


def test_ten_megabytes_are_refused_with_an_answer(server, instance):
    key = agent_key(server.keys, "garbage")
    for path, who in ((PLACES, "user"), (REPORT_PATH, key), (CONNECT_PATH, key)):
        answer = server.request("POST", path, b" " * 10_000_000, who)
        assert (answer.status, answer.slug) == (413, "too-large")


def test_a_zip_bomb_is_not_unpacked(server):
    key, headers = agent_key(server.keys, "garbage"), {"Content-Encoding": "deflate"}
    bomb = zlib.compress(b" " * 200_000_000, 1)
    assert len(bomb) < MAX_REPORT_BYTES
    before = peak_memory(server.process.pid)
    for content in (bomb, zlib.compress(b" " * (MAX_REPORT_BYTES + 1))):
        answer = server.request("POST", REPORT_PATH, content, key, headers)
        assert (answer.status, answer.slug) == (413, "too-large")
    assert peak_memory(server.process.pid) - before < 50_000_000


def peak_memory(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"not deflated", "deflate"),
        (zlib.compress(b"{}")[:-3], "deflate"),
        (zlib.compress(b"{}") + b"more", "deflate"),
        (b"{}", "gzip"),
        (b"{}", "deflate, deflate"),
    ],
)
def test_a_body_that_is_not_deflated_as_it_says(server, content, encoding):
    key, headers = agent_key(server.keys, "garbage"), {"Content-Encoding": encoding}
    answer = server.request("POST", REPORT_PATH, content, key, headers)
    assert (answer.status, answer.slug) == (400, "bad-message")


@pytest.mark.parametrize(
    "path",
    [
        "/v1",
        "/v2/hits",
        "/v1/hits/",
        "//",
        "/%00",
        "/v1/services/a%2Fb/probes",
        "/..",
        "/\xc3",
    ],
)
def test_an_unknown_address_is_answered_in_the_same_form(server, path):
    answer = server.request(
        "GET", path.encode("latin-1").decode("latin-1").replace("\xc3", "%C3")
    )
    assert (answer.status, answer.slug) in [(404, "no-such-address"), (405, "no-such-method")]


@pytest.mark.parametrize("method", ["HEAD", "PUT", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_a_method_that_an_address_does_not_have(server, method):
    answer = server.request(method, "/v1/hits/stream")
    assert answer.status == 405
    assert answer.headers["allow"] == "GET"


def test_half_a_request_and_then_nothing(server):
    for text in (
        b"GET /health",
        b"POST /v1/agent/report HTTP/1.1\r\nContent-Length: 9\r\n\r\n",
    ):
        with contextlib.closing(socket.create_connection(("127.0.0.1", server.port))) as peer:
            peer.sendall(text)
    assert server.request("GET", "/health").status == 200


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
members = st.sampled_from(
    ["kind", "target", "template", "condition", "limits", "capture", "owner", "note"]
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(members, json_values))
def test_no_body_is_our_fault(server, change):
    body = {"kind": "log", "target": "app.py:3", "template": "x"} | change
    answer = server.request("POST", "/v1/services/any/probes", json.dumps(body).encode())
    assert answer.status in (201, 400, 409)
    if answer.status == 201:
        server.request("DELETE", f"/v1/probes/{answer.json['probe']['id']}")


@pytest.mark.soak
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=st.dictionaries(st.text(), json_values), message=st.text(), thread=st.text())
def test_no_captured_value_is_our_fault(server, instance, values, message, thread):
    info = instance("values", "v1")
    probe = server.request("GET", "/v1/probes?service=values").json["probes"]
    probe = probe[0]["id"] if probe else server.place("values", limits={"hits": 100_000})["id"]
    seq = len(server.hits("service=values&limit=1000"))
    content = report_text(
        info, probe=probe, seq=seq, values=values, message=message, thread=thread
    )
    answer = server.request("POST", REPORT_PATH, content, agent_key(server.keys, "values"))
    if b"Infinity" in content or b"NaN" in content:
        assert answer.status in (204, 400)
    else:
        assert answer.status == 204
    if answer.status == 204:
        found = server.hits("service=values")[-1]
        assert (found["values"], found["message"], found["thread"]) == (values, message, thread)
