"""Twins on the server: orders, the right to them, their answers, and shells. Agents are spoken
for here: what they post is what the wire says."""

import json

import pytest

from leadline.control import shells
from leadline.control.shells import MAX_UNANSWERED, Shell
from leadline.wire.hit import Hit, ProbeState, Report
from leadline.wire.keys import NamedKey, agent_key, digest_of, load, new_user_key, write
from leadline.wire.messages import SHELL_PATH, decode_probes, encode
from leadline.wire.probe import Status
from leadline.wire.shell import GONE, Replies, Reply, decode_tell
from leadline.wire.struct import replace
from leadline.wire.twin import (
    Agreement,
    Difference,
    Refusal,
    Said,
    TwinEnd,
    TwinPolicy,
    TwinUse,
    TwinView,
    code_digest,
    is_signed,
    order_text,
    sign,
)

FATES = {"condition_unknown": 3, "condition_false": 9}
ASK = {"use": "ask", "target": "app.py:3", "code": ["order.total()", "x = 1"]}
VIEW = TwinView(
    TwinUse.ASK,
    TwinPolicy.READONLY,
    TwinEnd.DONE,
    pause_ms=2.1,
    life_s=0.034,
    said=[
        Said("order.total()", returned=True, value=42, printed="counted\n"),
        Said("x = 1", raised="KeyError: 'x'", refused=[Refusal("write", "/srv/x.log", 2)]),
    ],
    refused=[Refusal("connect")],
    agreement=Agreement(
        False,
        live="5",
        rerun="6",
        differences=[Difference("result", "5", "6")],
        marks=["clock"],
    ),
    notes=["3 thread pools revived"],
)


def order(server, service, key="user", **more):
    return server.request("POST", f"/v1/services/{service}/twins", ASK | more, key)


def ordered(server, service, **more):
    answer = order(server, service, **more)
    assert answer.status == 201, answer.body
    return answer.json["probe"]


def audit(server, service):
    entries = server.request("GET", "/v1/audit?limit=1000").json["entries"]
    return [one for one in entries if one["service"] == service]


def hit_of(info, probe, view=VIEW, seq=1):
    return Hit(probe, info.id, seq, 1.5, "Main", "app.py", 3, "f", "2 answers", twin=view)


def named_key(server, name, may=()):
    """Put a key into the key file, as an owner of the machine could."""
    key = new_user_key()
    path = server.folder / "keys.json"
    keys = load(path)
    named = (*keys.named, NamedKey(name, digest_of(key), 1.0, may))
    write(path, replace(keys, named=named), replace=True)
    return key


def test_an_order_travels_as_a_probe_and_its_whole_code_is_in_the_audit_log(server, instance):
    stream = server.connect(instance("asked", "i-asked"))
    assert stream.next()[0] == "set"
    placed = ordered(server, "asked", condition="x > 1", life_s=3, ttl_s=30)
    assert (placed["kind"], placed["use"], placed["code"]) == ("twin", "ask", ASK["code"])
    assert (placed["life_s"], placed["signed"], placed["limits"]["hits"]) == (3.0, False, 1)
    event, data = stream.next()
    assert event == "add"
    (probe,) = decode_probes(data["probes"])
    assert (probe.id, probe.use, probe.code) == (placed["id"], TwinUse.ASK, tuple(ASK["code"]))
    (entry,) = audit(server, "asked")
    assert (entry["action"], entry["who"], entry["probe"]) == ("twin", "user", placed["id"])
    said = entry["detail"]
    assert said["code"] == ASK["code"]
    assert said["digest"] == code_digest(tuple(ASK["code"]))
    assert (said["use"], said["life_s"], said["target"]) == (
        "ask",
        3.0,
        {"file": "app.py", "line": 3},
    )


def test_what_is_signed_arrives_as_it_was_signed(server, instance):
    stream = server.connect(instance("signed", "i-signed"))
    stream.next()
    signed = {"nonce": "n1", "signed_until": 2e9, "instance": "i-signed", "condition": "x"}
    bare = ordered(server, "signed", **signed)
    (probe,) = decode_probes(stream.next()[1]["probes"])
    signature = sign("the key of the service", order_text("signed", probe))
    placed = ordered(server, "signed", signature=signature, **signed)
    assert (bare["signed"], placed["signed"]) == (False, True)
    entries = [one["detail"] for one in audit(server, "signed")]
    assert [one["signed"] for one in entries] == [False, True]
    assert signature not in str(entries)
    assert "signature" not in placed
    (probe,) = decode_probes(stream.next()[1]["probes"])
    assert is_signed("the key of the service", order_text("signed", probe), probe.signature)
    changed = replace(probe, code=("other",))
    assert not is_signed("the key of the service", order_text("signed", changed), signature)
    often = replace(probe, limits=replace(probe.limits, hits=9))
    assert not is_signed("the key of the service", order_text("signed", often), signature)


@pytest.mark.parametrize(
    ("changes", "slug"),
    [
        ({"code": []}, "bad-twin"),
        ({"code": [" "]}, "bad-code"),
        ({"code": ["def f(:"]}, "bad-code"),
        ({"code": ["x\0"]}, "bad-code"),
        ({"code": ["-" * 9_000 + "1"]}, "bad-code"),
        ({"code": ["x" * 10_001]}, "too-long"),
        ({"code": ["x"] * 21}, "bad-limit"),
        ({"condition": "f()"}, "expression-forbidden"),
        ({"target": "nowhere"}, "bad-target"),
        ({"target": "*"}, "bad-target"),
        ({"life_s": 31}, "bad-limit"),
        ({"life_s": 0}, "bad-limit"),
        ({"ttl_s": 0}, "bad-limit"),
        ({"hits": 2}, "bad-limit"),
        ({"use": "shell"}, "bad-twin"),
        ({"use": "shell", "code": [], "ttl_s": 3_601}, "bad-limit"),
        ({"use": "rerun", "code": []}, "bad-target"),
        ({"use": "rerun", "code": [], "target": "app:f", "hits": 10_001}, "bad-limit"),
        ({"use": "nothing"}, "bad-message"),
        ({"instance": "no-such"}, "no-such-instance"),
        ({"other": 1}, "bad-message"),
    ],
)
def test_what_can_never_work_is_refused(server, changes, slug):
    assert order(server, "refused", **changes).slug == slug
    assert audit(server, "refused") == []


def test_a_twin_is_of_one_service_and_no_ordinary_probe(server):
    assert order(server, "*").slug == "bad-service-name"
    body = {"kind": "twin", "target": "app.py:3"}
    assert server.request("POST", "/v1/services/plain/probes", body).slug == "bad-twin"
    named = {"probes": [body | {"name": "a"}]}
    assert server.request("PUT", "/v1/services/plain/sets/s", named).slug == "bad-twin"


@pytest.mark.parametrize("deflate", [True, False])
def test_an_answer_is_stored_listed_and_watched(server, instance, deflate):
    info = instance("answers", f"i-answers-{deflate}")
    placed = ordered(server, "answers")
    watching = server.watch(f"probe={placed['id']}").opened()
    hit = hit_of(info, placed["id"])
    assert server.report(Report(info, [hit]), deflate=deflate).status == 204
    name, came = watching.next()
    (listed,) = server.hits(f"probe={placed['id']}")
    expected = json.loads(encode(VIEW))
    assert name == "hit"
    assert came["twin"] == listed["twin"] == expected
    assert server.hits("kind=twin")[-1]["id"] == listed["id"]
    after = server.probe(placed["id"])
    assert (after["status"], after["hits"]) == ("expired", 1)
    assert after["reason"] == "its one hit is captured"


def test_an_answer_that_breaks_the_contract_is_refused(server, instance):
    info = instance("broken", "i-broken")
    placed = ordered(server, "broken")
    content = json.loads(encode(Report(info, [hit_of(info, placed["id"])])))
    key = agent_key(server.keys, "broken")
    for name, value in (("use", "other"), ("said", [{"code": 1}]), ("end", None)):
        bad = json.loads(json.dumps(content))
        bad["hits"][0]["twin"][name] = value
        answer = server.request("POST", "/v1/agent/report", bad, key)
        assert answer.slug == "bad-message", name
    del content["hits"][0]["twin"]  # as an agent from before there were twins
    assert server.request("POST", "/v1/agent/report", content, key).status == 204
    (listed,) = server.hits(f"probe={placed['id']}")
    assert listed["twin"] is None


def test_why_there_is_no_answer_is_said(server, instance):
    info = instance("silent", "i-silent")
    server.connect(info).next()
    placed = ordered(server, "silent")
    state = ProbeState(placed["id"], Status.ARMED, fates=FATES, unknown="no twin: busy")
    assert server.report(Report(info, states=[state])).status == 204
    (one,) = server.probe(placed["id"])["instances"]
    assert one["why"] == "armed; condition false 9 times, no twin was made 3 times: busy"


def test_ending_an_order_ends_it_in_the_instances(server, instance):
    stream = server.connect(instance("ended", "i-ended"))
    stream.next()
    for end in ("rm", "off"):
        placed = ordered(server, "ended")
        assert stream.next()[0] == "add"
        if end == "rm":
            server.request("DELETE", f"/v1/probes/{placed['id']}")
            event, data = stream.next()
            assert (event, data["ids"]) == ("remove", [placed["id"]])
        else:
            server.request("POST", "/v1/services/ended/off", {})
            assert stream.next()[0] == "off"
            assert order(server, "ended").slug == "switched-off"


def test_a_key_without_the_right_places_probes_and_no_twins(own_server):
    server = own_server().start()
    plain, may = named_key(server, "plain"), named_key(server, "may", ("twin",))
    body = {"kind": "log", "target": "app.py:3", "template": "x"}
    assert server.request("POST", "/v1/services/s/probes", body, plain).status == 201
    answer = order(server, "s", plain)
    assert (answer.status, answer.slug) == (403, "no-twin-right")
    assert order(server, "s", may).status == 201
    assert audit(server, "s")[-1]["who"] == "may"
    for method, path in (("POST", "requests"), ("GET", "replies")):
        content = {"number": 1, "text": "x"} if method == "POST" else None
        answer = server.request(method, f"/v1/twins/p1/{path}", content, plain)
        assert answer.slug == "no-twin-right", path


def test_nobody_gives_a_right_that_they_have_not(own_server):
    server = own_server().start()
    plain, may = named_key(server, "plain"), named_key(server, "may", ("twin",))
    wanted = {"name": "new", "may": ["twin"]}
    assert server.request("POST", "/v1/keys", wanted, plain).slug == "no-twin-right"
    rotated = server.request("POST", "/v1/keys/rotate", {"what": "user"}, plain)
    assert rotated.slug == "no-twin-right"  # its answer would be a key that has all rights
    made = server.request("POST", "/v1/keys", wanted, may)
    assert (made.status, made.json["may"]) == (201, ["twin"])
    assert order(server, "s", made.json["key"]).status == 201
    assert server.request("POST", "/v1/keys", {"name": "x", "may": ["all"]}).status == 400
    rows = {one["name"]: one["may"] for one in server.request("GET", "/v1/keys").json["keys"]}
    assert rows == {"": [], "plain": [], "may": ["twin"], "new": ["twin"]}


def test_a_key_file_from_before_there_were_rights_is_read(own_server):
    server = own_server().start()
    named_key(server, "old")
    path = server.folder / "keys.json"
    content = json.loads(path.read_text())
    for one in content["named"]:
        del one["may"]
    path.write_text(json.dumps(content))
    keys = load(path)
    assert [(one.name, one.may) for one in keys.named] == [("old", ())]
    assert order(server, "s").status == 201


class Sat:
    """A shell with somebody at it, and the agent of its twin, over the wire."""

    def __init__(self, server, instance, service, key="user"):
        self.server, self.service = server, service
        self.info = instance(service, f"i-{service}")
        self.agent = server.connect(self.info)
        assert self.agent.next()[0] == "set"
        answer = order(server, service, key, use="shell", code=[])
        assert answer.status == 201, answer.body
        self.probe = answer.json["probe"]["id"]
        assert self.agent.next()[0] == "add"

    def listen(self):
        path = f"/v1/twins/{self.probe}/replies"
        self.replies = self.server._stream("GET", path, None, "user")
        return self.replies.opened()

    def ask(self, number, text="{}", key="user", **more):
        content = {"number": number, "text": text} | more
        return self.server.request("POST", f"/v1/twins/{self.probe}/requests", content, key)

    def say(self, *replies, ended="", info=None, service=None):
        info = info or self.info
        said = Replies(info.id, self.probe, [Reply(*one) for one in replies], ended)
        key = agent_key(self.server.keys, service or info.service)
        return self.server.request("POST", SHELL_PATH, encode(said), key)


def test_a_shell_passes_requests_and_replies_on_and_notes_the_code(server, instance):
    sat = Sat(server, instance, "sat")
    replies = sat.listen()
    assert sat.ask(1).slug == "shell-not-ready"
    assert sat.say().status == 204
    assert replies.next() == ("begun", {"instance": "i-sat"})
    assert sat.ask(1, '{"do":"p x"}', signature="ab").status == 204
    event, data = sat.agent.next()
    assert event == "tell"
    told = decode_tell(data)
    assert (told.probe, told.number, told.text) == (sat.probe, 1, '{"do":"p x"}')
    assert told.signature == "ab"
    assert sat.say((1, "\\ud800 5")).status == 204
    assert replies.next()[1] == {"number": 1, "text": "\\ud800 5"}
    shell = [one for one in audit(server, "sat") if one["action"] == "shell"]
    assert [(one["who"], one["probe"], one["detail"]["text"]) for one in shell] == [
        ("user", sat.probe, '{"do":"p x"}')
    ]
    assert sat.say(ended="the frame returned").status == 204
    assert replies.next() == ("ended", {"reason": "the frame returned"})
    assert replies.next() is None
    assert sat.ask(2).slug == "no-such-shell"
    assert sat.say((2, "late")).slug == "no-such-shell"


def test_requests_of_a_shell_are_bounded(server, instance):
    sat = Sat(server, instance, "bounded")
    sat.listen()
    sat.say()
    assert sat.ask(2).slug == "bad-limit"  # the next is 1
    assert sat.ask(1, "x" * 10_001).slug == "bad-limit"
    assert sat.ask(1, "x\ny").slug == "bad-limit"
    for number in range(1, MAX_UNANSWERED + 1):
        assert sat.ask(number).status == 204
    assert sat.ask(MAX_UNANSWERED + 1).slug == "bad-limit"
    assert sat.say((1, "")).status == 204
    assert sat.ask(MAX_UNANSWERED + 1).status == 204
    assert sat.say((99, "")).slug == "bad-message"
    assert sat.say((2, "x" * 256_001)).slug == "bad-message"


def test_a_reader_that_reads_nothing_ends_the_shell(server, instance):
    sat = Sat(server, instance, "unread")
    sat.listen()
    sat.say()
    assert sat.ask(1).status == 204
    reply = "x" * 250_000
    refused = next(
        answer for _ in range(100) if (answer := sat.say((1, reply), (1, reply))).status != 204
    )
    assert refused.slug == "no-such-shell"
    assert sat.ask(2).slug == "no-such-shell"


def test_the_description_says_which_addresses_need_the_right(server):
    paths = server.request("GET", "/v1/openapi.json").json["paths"]
    needed = {
        f"{method} {path}"
        for path, methods in paths.items()
        for method, one in methods.items()
        if "the right `twin`" in one.get("description", "")
    }
    assert needed == {
        "post /v1/services/{service}/twins",
        "post /v1/approvals/{approval}/approve",
        "post /v1/approvals/{approval}/refuse",
        "post /v1/twins/{probe}/requests",
        "get /v1/twins/{probe}/replies",
    }


def test_a_shell_is_for_who_ordered_it_and_for_one_at_a_time(own_server, instance):
    server = own_server().start()
    other = named_key(server, "other", ("twin",))
    sat = Sat(server, instance, "mine")
    path = f"/v1/twins/{sat.probe}/replies"
    assert server.request("GET", path, key=other).slug == "not-your-shell"
    sat.listen()
    sat.say()
    assert sat.ask(1, key=other).slug == "not-your-shell"
    taken = server.request("GET", path)
    assert (taken.status, taken.slug) == (409, "shell-taken")
    stranger = instance("stranger", "i-mine")
    assert sat.say(info=stranger).slug == "wrong-service"
    second = instance("mine", "i-second")
    server.connect(second).next()
    assert sat.say(info=second).slug == "no-such-shell"  # it has its twin
    assert server.request("GET", "/v1/twins/p99/replies").slug == "no-such-shell"


def test_other_processes_make_no_twin_once_a_shell_has_begun(server, instance):
    sat = Sat(server, instance, "several")
    other = server.connect(instance("several", "i-other"))
    assert [one["id"] for one in other.next()[1]["probes"]] == [sat.probe]
    sat.listen()
    sat.say()
    event, data = other.next()
    assert (event, data["ids"]) == ("remove", [sat.probe])
    assert sat.ask(1).status == 204
    assert sat.agent.next()[0] == "tell"


def test_who_goes_ends_the_twin_and_the_order(server, instance, until):
    sat = Sat(server, instance, "left")
    replies = sat.listen()
    sat.say()
    replies.next()
    replies.close()
    event, data = sat.agent.next()
    assert (event, decode_tell(data).number) == ("tell", GONE)
    assert sat.agent.next()[0] == "remove"
    assert until(lambda: server.probe(sat.probe)["status"] == "expired")
    assert server.probe(sat.probe)["reason"] == "nobody is at the shell any more"
    assert sat.say((1, "")).slug == "no-such-shell"


def test_a_twin_that_speaks_first_is_heard_when_somebody_comes(server, instance):
    sat = Sat(server, instance, "early")
    assert sat.say().status == 204
    assert sat.listen().next()[0] == "begun"


def test_a_shell_that_nobody_comes_to_is_forlorn(monkeypatch):
    shell = Shell("p1", "shop")
    assert not shell.is_forlorn()
    monkeypatch.setattr(shells, "LISTEN_S", 0.0)
    assert shell.is_forlorn()
    shell.listened = True
    assert not shell.is_forlorn()


@pytest.mark.parametrize("how", ["gone", "removed", "off"])
def test_a_shell_ends_with_its_process_its_order_and_the_kill_switch(server, instance, how):
    sat = Sat(server, instance, f"ends-{how}")
    replies = sat.listen()
    sat.say()
    replies.next()
    match how:
        case "gone":
            server.report(Report(sat.info, leaving=True))
            reason = "the process of the twin is gone"
        case "removed":
            server.request("DELETE", f"/v1/probes/{sat.probe}")
            reason = "removed"
        case "off":
            server.request("POST", f"/v1/services/{sat.service}/off", {})
            reason = "the service is switched off"
    assert replies.next() == ("ended", {"reason": reason})
    assert replies.next() is None
    if how != "gone":
        while (event := sat.agent.next())[0] != "tell":
            assert event[0] in ("remove", "off")
        assert decode_tell(event[1]).number == GONE


def test_a_shell_does_not_outlive_the_server(own_server, instance):
    server = own_server().start()
    sat = Sat(server, instance, "restarted")
    replies = sat.listen()
    server.streams.remove(replies)  # somebody sits at it until the server itself is gone
    server.stop()
    replies.close()
    server.start()
    assert server.probe(sat.probe)["reason"] == "the server was started again"


@pytest.mark.parametrize(
    "value",
    [None, {}, {"probe": "p1"}, {"probe": "p1", "number": True}, {"probe": "p1", "number": -2},
     {"probe": 1, "number": 1}, {"probe": "p1", "number": 1, "text": "x" * 10_001}],
)  # fmt: skip
def test_what_is_told_is_not_taken_on_trust(value):
    with pytest.raises(Exception, match=r"told"):
        decode_tell(value)
