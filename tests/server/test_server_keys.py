"""Keys replaced while the server runs: new ones at once, old ones for as long as was said."""

import json
import signal
import stat
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.server.keyring import KeyRing
from leadline.server.routes import ROUTES
from leadline.store.sqlite import SqliteStore
from leadline.wire import rotation
from leadline.wire.errors import LeadlineError
from leadline.wire.hit import Report
from leadline.wire.keys import (
    Keys,
    agent_key,
    holder_of,
    is_user,
    load,
    load_or_create,
    new_user_key,
    service_of,
    write,
)

KEYS = Keys("llu_" + "u" * 43, b"r" * 32)
SERVICES = ("shop", "other", "third")


def rotate(server, what, key="user", **more):
    answer = server.request("POST", "/v1/keys/rotate", {"what": what, **more}, key)
    if answer.status == 200 and what == "user":
        server.keys = replace(server.keys, user=answer.json["key"])
    return answer


def status(server, key):
    return server.request("GET", "/v1/services", None, key).status


def audit(server):
    with closing(SqliteStore(server.folder / "hits.db", lambda _: None)) as store:
        return [(e.who, e.action, e.service, json.loads(e.detail)) for e in store.audit(100)]


def test_a_new_user_key_is_valid_at_once_and_after_a_restart(own_server):
    server = own_server().start()
    old = server.keys.user
    answer = rotate(server, "user")
    new = answer.json["key"]
    assert (answer.status, new != old) == (200, True)
    assert (status(server, new), status(server, old)) == (200, 401)
    path = server.folder / "keys.json"
    assert load(path).user == new
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {file.name for file in server.folder.glob("keys*")} == {"keys.json"}
    server.stop(signal.SIGKILL)
    server.start()
    assert (status(server, new), status(server, old)) == (200, 401)
    server.stop()
    assert old not in server.stderr()
    assert new not in server.stderr()
    assert audit(server) == [("user", "key-rotated", "", {"what": "user", "grace_s": 0.0})]


def test_an_old_key_has_its_grace_time_and_no_more(own_server, until):
    server = own_server().start()
    old = server.keys.user
    rotate(server, "user", grace_s=600)
    assert (status(server, server.keys.user), status(server, old)) == (200, 200)
    keys = server.request("GET", "/v1/keys").json["keys"]
    assert [(one["what"], one["expires_at"] is None) for one in keys] == [
        ("user", True),
        ("agents", True),
        ("user", False),
    ]
    assert keys[2]["used_at"] is not None
    middle = server.keys.user
    rotate(server, "user", grace_s=0.5)
    until(lambda: status(server, middle) == 401)
    assert status(server, old) == 200  # its time is its own
    rotate(server, "user")  # without grace, nobody keeps any
    assert status(server, old) == 401


def test_a_connected_agent_with_a_key_that_is_none_any_more_is_cut_off(own_server, instance):
    server = own_server().start()
    streams = {name: server.connect(instance(name, f"i-{name}")) for name in SERVICES}
    for stream in streams.values():
        assert stream.next()[0] == "set"
    old = agent_key(server.keys, "shop")
    answer = rotate(server, "service", service="shop")
    assert streams["shop"].next() is None
    new = answer.json["key"]
    assert new == agent_key(load(server.folder / "keys.json"), "shop") != old
    assert server.report(Report(instance("shop", "i-shop")), old).slug == "bad-key"
    assert server.report(Report(instance("shop", "i-shop")), new).status == 204
    assert server.request("POST", "/v1/services/shop/agent-key").json["key"] == new
    server.place("other")
    assert streams["other"].next()[0] == "add"  # the others go on
    rotate(server, "agents")
    assert streams["other"].next() is streams["third"].next() is None
    assert server.report(Report(instance("shop", "i-shop")), new).slug == "bad-key"
    assert rotate(server, "agents").json["key"] == ""


def test_running_agents_go_on_in_the_grace_time_and_are_cut_off_after_it(own_server, instance):
    server = own_server().start()
    stream = server.connect(instance("shop", "i"))
    assert stream.next()[0] == "set"
    rotate(server, "agents", grace_s=600)
    server.place("shop")
    assert stream.next()[0] == "add"
    again = server.connect(instance("shop", "i"), agent_key(server.keys, "shop"))
    assert again.next()[0] == "set"
    assert stream.next() is None
    rotate(server, "agents", grace_s=0)  # those with some left lose it
    assert again.next() is None


def test_a_reader_with_a_key_that_is_none_any_more_sees_nothing_more(
    own_server, instance, some_hits
):
    server = own_server().start()
    info, probe = instance("shop", "i"), server.place("shop")["id"]
    key = server.request("POST", "/v1/keys", {"name": "ada"}).json["key"]
    watching = server._stream("GET", "/v1/hits/stream", None, key).opened()
    server.report(Report(info, some_hits(info, probe, range(1))))
    assert watching.next()[0] == "hit"
    assert server.request("DELETE", "/v1/keys/ada").json["revoked"] == "ada"
    server.report(Report(info, some_hits(info, probe, range(1, 2))))
    assert watching.next() is None


def test_named_keys_are_people_in_the_audit_log(own_server):
    server = own_server().start()
    answer = server.request("POST", "/v1/keys", {"name": "ada"})
    assert answer.status == 201
    key = answer.json["key"]
    assert server.request("POST", "/v1/keys", {"name": "ada"}).slug == "key-exists"
    body = {"kind": "log", "target": "app.py:3", "template": "x"}
    assert server.request("POST", "/v1/services/shop/probes", body, key).status == 201
    server.request("POST", "/v1/off", {}, key)
    listed = server.request("GET", "/v1/keys", None, key).json["keys"]
    assert [(one["what"], one["name"]) for one in listed] == [
        ("user", ""),
        ("named", "ada"),
        ("agents", ""),
    ]
    assert listed[1]["used_at"] >= listed[1]["created_at"] > 1e9
    assert key not in json.dumps(listed)
    assert key not in (server.folder / "keys.json").read_text()
    server.request("DELETE", "/v1/keys/ada")
    assert status(server, key) == 401
    answer = server.request("DELETE", "/v1/keys/ada")
    assert (answer.status, answer.slug) == (404, "no-such-key")
    server.stop()
    assert [entry[:3] for entry in audit(server)] == [
        ("user", "key-added", ""),
        ("ada", "place", "shop"),
        ("ada", "off", ""),
        ("user", "key-revoked", ""),
    ]


def test_two_servers_that_share_a_key_file_agree(own_server, tmp_path):
    first = own_server().start()
    second = own_server()
    second.folder = tmp_path / "second"
    second.folder.mkdir()
    (second.folder / "keys.json").symlink_to(first.folder / "keys.json")
    second.start()
    old = first.keys.user
    rotate(first, "user")
    assert status(second, first.keys.user) == 200
    assert status(second, old) == 401


def test_a_key_file_that_was_taken_away_or_damaged_locks_nobody_out(own_server):
    server = own_server().start()
    path = server.folder / "keys.json"
    content = path.read_text()
    path.unlink()
    assert status(server, server.keys.user) == 200
    assert rotate(server, "user").slug == "no-key-file"
    path.write_text("{")
    path.chmod(0o600)
    assert status(server, server.keys.user) == 200
    assert rotate(server, "user").slug == "bad-key-file"
    path.write_text(content)
    assert rotate(server, "user").status == 200
    server.stop()
    assert "bad-key-file" in server.stderr()


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        ({"what": "user", "grace_s": -1}, "bad-limit"),
        ({"what": "user", "grace_s": 700_000}, "bad-limit"),
        ({"what": "named"}, "bad-message"),
        ({"what": "service"}, "bad-message"),
        ({"what": "user", "service": "shop"}, "bad-message"),
        ({"what": "service", "service": ".."}, "bad-service-name"),
        ({"what": "everything"}, "bad-message"),
        ({}, "bad-message"),
    ],
)
def test_what_cannot_be_rotated_changes_nothing(server, body, slug):
    before = (server.folder / "keys.json").read_bytes()
    answer = server.request("POST", "/v1/keys/rotate", body)
    assert (answer.status, answer.slug) == (400, slug)
    assert (server.folder / "keys.json").read_bytes() == before


@pytest.mark.parametrize("name", ["", "user", "Server", "a b", "../x", "x" * 101, "ä"])
def test_what_cannot_name_a_key(server, name):
    assert server.request("POST", "/v1/keys", {"name": name}).slug == "bad-key-name"


def test_an_agents_key_reaches_no_other_route_and_no_other_service(server, instance):
    key = agent_key(server.keys, "mine")
    for route in ROUTES:
        path = route.path.replace("{service}", "mine").replace("{probe}", "p1")
        if route.who.value == "user":
            answer = server.request(route.method, path, b"{}", key)
            assert (answer.status, answer.slug) == (403, "wrong-key"), path
    assert server.report(Report(instance("theirs", "x1")), key).slug == "wrong-service"
    assert server.report(Report(instance("theirs", "x2"))).status == 204
    assert server.report(Report(instance("mine", "x2")), key).slug == "wrong-service"


def test_a_file_of_the_first_version_is_read_and_carried_on(tmp_path):
    path = tmp_path / "keys.json"
    old = load_or_create(path)
    value = json.loads(path.read_text())
    first = {"version": 1, "user": value["user"], "agent_root": value["agent_root"]}
    path.write_text(json.dumps(first))
    keys = load(path)
    assert (keys.user, keys.root) == (old.user, old.root)
    assert abs(keys.user_at - path.stat().st_mtime) < 1
    ring = KeyRing(path, lambda: 5.0)
    after = ring.change(lambda keys, now: rotation.rotate_service(keys, "shop", now, 60))
    assert load(path) == after == ring.keys()
    assert service_of(after, agent_key(keys, "shop")) is None
    assert holder_of(after, agent_key(keys, "shop"), 64.0).until == 65.0


def test_a_key_file_that_cannot_be_written_keeps_the_keys_that_are(tmp_path, monkeypatch):
    path = tmp_path / "keys.json"
    ring = KeyRing(path)
    before = ring.keys()

    def full(*_args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("leadline.wire.keys.os.fsync", full)
        with pytest.raises(LeadlineError) as caught:
            ring.change(lambda keys, now: rotation.rotate_user(keys, now, 0))
    assert caught.value.slug == "key-file-unwritable"
    assert ring.keys() == before == load(path)
    assert [file.name for file in tmp_path.iterdir()] == ["keys.json"]


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["user", "agents", *SERVICES]),
            st.sampled_from([0.0, 10.0, 25.0]),
            st.sampled_from([1.0, 15.0]),
        ),
        max_size=8,
    )
)
def test_each_key_is_valid_exactly_until_it_was_said(steps):
    """A model that keeps a list of keys and their ends, against the file's few secrets."""
    now, keys = 100.0, KEYS
    ends: dict[tuple[str, str], float] = {}
    current = {"user": keys.user} | {name: agent_key(keys, name) for name in SERVICES}
    for what, grace, pause in steps:
        touched = SERVICES if what == "agents" else (what,)
        if what == "user":
            keys = rotation.rotate_user(keys, now, grace)
        elif what == "agents":
            keys = rotation.rotate_agents(keys, now, grace)
        else:
            keys = rotation.rotate_service(keys, what, now, grace)
        for name in touched:
            ends[name, current[name]] = now + grace
            if not grace:
                ends |= {one: min(end, now) for one, end in ends.items() if one[0] == name}
        current = {"user": keys.user} | {name: agent_key(keys, name) for name in SERVICES}
        now += pause
        for name, key in current.items():
            holder = holder_of(keys, key, now)
            assert holder.until is None
            assert holder.service == ("" if name == "user" else name)
        for (name, key), end in ends.items():
            holder = holder_of(keys, key, now)
            assert (holder is not None) == (end > now), (name, end, now)
            assert holder is None or holder.until == end


def test_what_is_kept_in_the_file_is_bounded(tmp_path, monkeypatch):
    keys = KEYS
    for _ in range(rotation.MAX_RETIRED + 5):
        keys = rotation.rotate_user(keys, 0.0, 1000.0)
    assert len(keys.retired) == rotation.MAX_RETIRED
    monkeypatch.setattr(rotation, "MAX_SALTS", 3)
    for name in ("a", "b", "c", "a"):
        keys = rotation.rotate_service(keys, name, 1.0, 0.0)
    with pytest.raises(LeadlineError) as caught:
        rotation.rotate_service(keys, "d", 1.0, 0.0)
    assert caught.value.slug == "too-many-keys"
    monkeypatch.setattr(rotation, "MAX_NAMED", 1)
    keys, _ = rotation.add_named(keys, "ada", 1.0)
    with pytest.raises(LeadlineError) as caught:
        rotation.add_named(keys, "bob", 1.0)
    assert caught.value.slug == "too-many-keys"
    write(tmp_path / "keys.json", keys, replace=True)
    assert load(tmp_path / "keys.json") == keys


def test_no_secret_is_in_a_repr():
    keys, key = rotation.add_named(KEYS, "ada", 1.0)
    keys = rotation.rotate_agents(rotation.rotate_service(keys, "shop", 1, 60), 1, 60)
    keys = rotation.rotate_user(keys, 1, 60)
    secrets = {key, keys.user, KEYS.user, keys.named[0].digest}
    secrets |= {value for old in keys.retired for value in (old.digest, old.root) if value}
    secrets |= {salt.salt for old in keys.retired for salt in old.salts}
    assert len(secrets) >= 6
    assert not any(secret in repr(keys) for secret in secrets)
    assert is_user(keys, key)
    assert not is_user(keys, new_user_key())
