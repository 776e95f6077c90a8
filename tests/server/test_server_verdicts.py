"""Verdicts on the server: what is taken, what is refused, what is shown again, what goes."""

import dataclasses

import msgspec
import pytest

from leadline.server import verdict_bodies
from leadline.server.verdict_bodies import MAX_VERDICT_BYTES
from leadline.verify import report as reports
from leadline.verify.verdict import Shares
from leadline.wire.keys import agent_key
from leadline.wire.twin import Difference
from reported import report, said_everywhere


def keep(server, service, **more):
    answer = server.request(
        "POST", f"/v1/services/{service}/verdicts", report(service=service, **more)
    )
    assert answer.status == 201, answer.body
    return answer.json


def listed(server, query):
    return server.request("GET", f"/v1/verdicts?{query}").json["verdicts"]


def test_a_report_is_kept_whole_and_listed(server):
    kept = keep(server, "kept")
    number = kept["kept"]["id"]
    assert kept["path"] == f"/verdicts/{number}"
    shown = server.request("GET", f"/v1/verdicts/{number}").json["verdict"]
    assert shown["report"] == report(service="kept")
    assert (shown["who"], shown["service"]) == ("user", "kept")
    (row,) = listed(server, "service=kept")
    assert row == kept["kept"]
    assert (row["verdict"], row["candidate"], row["digest"]) == (
        "changes behaviour", "fix.diff", "ab" * 32,
    )  # fmt: skip
    entries = server.request("GET", "/v1/audit?limit=1000").json["entries"]
    (entry,) = [one for one in entries if one["service"] == "kept"]
    assert (entry["who"], entry["action"]) == ("user", "verdict")
    assert entry["detail"] == {
        "verdict": "changes behaviour", "number": number, "entry": "shop.pricing:quote",
        "candidate": "fix.diff", "digest": "ab" * 32,
    }  # fmt: skip


def test_the_newest_come_first_and_can_be_chosen(server):
    ids = [keep(server, "many")["kept"]["id"] for _ in range(3)]
    fixed = keep(server, "many", verdict="fixed", exit_status=0)["kept"]["id"]
    assert [one["id"] for one in listed(server, "service=many")] == [fixed, *ids[::-1]]
    assert [one["id"] for one in listed(server, "service=many&verdict=fixed")] == [fixed]
    older = server.request("GET", f"/v1/verdicts?service=many&before={ids[2]}&limit=1").json
    assert ([one["id"] for one in older["verdicts"]], older["more"]) == ([ids[1]], True)
    assert server.request("GET", "/v1/verdicts?verdict=good").slug == "bad-message"
    assert server.request("GET", "/v1/verdicts?limit=0").slug == "bad-limit"


def test_captured_text_comes_back_as_it_was(server):
    text = "a\x00\ud800</script>\u202e'"
    sent = said_everywhere(text) | {"service": "hostile"}
    answer = server.request("POST", "/v1/services/hostile/verdicts", sent)
    assert answer.status == 201, answer.body
    number = answer.json["kept"]["id"]
    assert server.request("GET", f"/v1/verdicts/{number}").json["verdict"]["report"] == sent


def wrong(**more):
    return report(service="strict") | more


BROKEN = {
    "no member": {name: value for name, value in wrong().items() if name != "sentence"},
    "more members": wrong(proof="none"),
    "no verdict": wrong(verdict="pass"),
    "exit": wrong(exit_status=7),
    "the exit of another verdict": wrong(exit_status=0),
    "a long sentence": wrong(sentence="x" * 20_001),
    "a digest": wrong(candidate=report()["candidate"] | {"digest": "../../etc"}),
    "a line": wrong(coverage=[{"file": "f", "new": True, "lines": {"-1": 1}}]),
    "a count": wrong(coverage=[{"file": "f", "new": True, "lines": {"1": -1}}]),
    "a sort": wrong(cases=[report()["cases"][0] | {"sort": "worse"}]),
    "many cases": wrong(cases=report()["cases"][:1] * 1_001),
    "a share": wrong(shares=report()["shares"] | {"bound": 1.5}),
    "another version": wrong(schema_version=2),
    "another service": wrong(service="other"),
    "a list": [],
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_no_verification_sends_is_refused(server, name):
    answer = server.request("POST", "/v1/services/strict/verdicts", BROKEN[name])
    assert (answer.status, answer.slug) == (400, "bad-message")
    assert listed(server, "service=strict") == []


def test_a_report_that_is_too_large_is_refused(server):
    notes = ["x" * 4_000] * (MAX_VERDICT_BYTES // 4_000 + 1)
    answer = server.request("POST", "/v1/services/strict/verdicts", wrong(notes=notes))
    assert (answer.status, answer.slug) == (413, "too-large")


@pytest.mark.parametrize("number", ["0", "999999999", "9" * 30, "x", "-1", "1.5", "%F0%9F"])
def test_there_is_no_such_verdict(server, number):
    for path in (f"/v1/verdicts/{number}", f"/verdicts/{number}"):
        answer = server.request("GET", path)
        assert answer.status == 404
        assert b"no-such-verdict" in answer.body


def test_a_purge_takes_verdicts_out_by_service(server):
    mine, theirs = keep(server, "purged")["kept"]["id"], keep(server, "stays")["kept"]["id"]
    asked = {"what": "verdicts", "service": "purged"}
    counted = server.request("POST", "/v1/purge", asked).json
    assert (counted["purged"], counted["counts"]) == (False, {"verdicts": 1})
    done = server.request("POST", "/v1/purge", asked | {"confirm": True}).json
    assert done["counts"] == {"verdicts": 1}
    assert server.request("GET", f"/v1/verdicts/{mine}").slug == "no-such-verdict"
    assert server.request("GET", f"/v1/verdicts/{theirs}").status == 200


def test_an_agent_keeps_no_verdict(server, instance):
    key = agent_key(server.keys, "shop")
    answer = server.request("POST", "/v1/services/shop/verdicts", report(), key)
    assert (answer.status, answer.slug) == (403, "wrong-key")


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (verdict_bodies.VerdictBody, reports.Report),
        (verdict_bodies.ShownBody, reports.Shown),
        (verdict_bodies.CoverageBody, reports.Coverage),
        (verdict_bodies.PatchBody, reports.Patch),
        (verdict_bodies.SharesBody, Shares),
        (verdict_bodies.DifferenceBody, Difference),
    ],
)
def test_all_that_a_verification_sends_is_known(body, sent):
    known = {one.name for one in msgspec.structs.fields(body)}
    assert known == {one.name for one in dataclasses.fields(sent)}
