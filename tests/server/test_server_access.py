"""S6: nobody uninvited. Every route, every kind of key, every header of a foreign page."""

import stat

import pytest
from msgspec import json as msgspec_json

from leadline.server.route import Who
from leadline.server.routes import ROUTES
from leadline.wire.errors import LeadlineError
from leadline.wire.hit import Report
from leadline.wire.keys import (
    Keys,
    agent_key,
    is_user,
    load,
    load_or_create,
    service_of,
)
from leadline.wire.service import check_service

KEYS = Keys("llu_" + "u" * 43, b"r" * 32)


def address(route) -> str:
    return route.path.replace("{service}", "shop").replace("{probe}", "p1")


@pytest.mark.parametrize("route", ROUTES, ids=lambda r: f"{r.method} {r.path}")
def test_every_route_but_health_needs_its_own_kind_of_key(server, route):
    def ask(key):
        return server.request(route.method, address(route), b"{}", key)

    if route.path == "/health":
        assert ask(None).json == {"ok": True, "version": "0.1.0"}
        assert route.who is Who.NOBODY
        return
    if (route.method, route.path) == ("POST", "/v1/session"):  # its key is the link's code
        answer = server.request("POST", route.path, {"code": "x"}, None)
        assert (answer.status, answer.slug) == (403, "bad-link")
        return
    assert route.who is not Who.NOBODY
    assert (ask(None).status, ask(None).slug) == (401, "no-key")
    assert ask(None).headers["www-authenticate"] == "Bearer"
    for wrong in ("x", "llu_", "lla_", "lla_c2hvcA_", server.keys.user + "x", "llä", "a b"):
        assert (ask(wrong).status, ask(wrong).slug) == (401, "bad-key")
    other = agent_key(server.keys, "shop") if route.who is Who.USER else "user"
    assert (ask(other).status, ask(other).slug) == (403, "wrong-key")


def test_every_route_is_documented_by_its_table():
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)
    for route in ROUTES:
        assert route.summary.endswith(".")
        types = [t for t in (route.body, route.query, route.returns) if t]
        msgspec_json.schema_components(types)  # OpenAPI can be made of it


@pytest.mark.parametrize(
    "header", ["Basic eDp5", "Bearer", "Bearer ", "llu_x", "Bearer\tx", "bearer"]
)
def test_a_malformed_authorisation_is_no_key(server, header):
    answer = server.request("GET", "/v1/services", None, None, {"Authorization": header})
    assert (answer.status, answer.slug) == (401, "no-key")


def test_an_agent_is_of_its_own_service_only(server, instance):
    foreign = agent_key(server.keys, "other")
    stream = server.connect(instance("shop", "f1"), foreign)
    assert stream.status == 403
    answer = server.report(Report(instance("shop", "f1")), foreign)
    assert (answer.status, answer.slug) == (403, "wrong-service")


def test_an_instance_of_one_service_cannot_be_taken_over_by_another(server, instance):
    assert server.report(Report(instance("mine", "taken"))).status == 204
    answer = server.report(Report(instance("thief", "taken")))
    assert (answer.status, answer.slug) == (403, "wrong-service")
    assert server.connect(instance("thief", "taken")).status == 403


@pytest.mark.parametrize(
    ("headers", "slug"),
    [
        ({"Host": "evil.example"}, "bad-host"),
        ({"Host": "evil.example:7357"}, "bad-host"),
        ({"Host": "localhost.evil.example"}, "bad-host"),
        ({"Host": "127.0.0.1.evil.example"}, "bad-host"),
        ({"Host": "10.0.0.1"}, "bad-host"),
        ({"Host": "[::1"}, "bad-host"),
        ({"Host": ""}, "bad-host"),
        ({"Host": "user@evil.example"}, "bad-host"),
        ({"Origin": "https://evil.example"}, "bad-origin"),
        ({"Origin": "null"}, "bad-origin"),
        ({"Origin": "http://[::1"}, "bad-host"),
        ({"Host": "localhost:1", "Origin": "http://localhost:2"}, "bad-origin"),
    ],
)
@pytest.mark.parametrize("path", ["/health", "/v1/services", "/nothing"])
def test_a_foreign_page_is_refused_whatever_it_asks_for(server, headers, slug, path):
    answer = server.request("GET", path, headers=headers)
    assert (answer.status, answer.slug) == (403, slug) or slug == "bad-host"
    assert answer.slug == slug


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "localhost"},
        {"Host": "LOCALHOST:80"},
        {"Host": "127.0.0.1:9"},
        {"Host": "[::1]:9"},
        {"Host": "localhost:5", "Origin": "http://localhost:5"},
    ],
)
def test_loopback_names_and_the_own_page_are_let_in(server, headers):
    assert server.request("GET", "/v1/services", headers=headers).status == 200


def test_configured_names_are_answered_to(own_server):
    server = own_server("--name", "Lead.example").start()
    assert server.request("GET", "/health", headers={"Host": "lead.example:1"}).status == 200
    assert server.request("GET", "/health", headers={"Host": "x.example"}).slug == "bad-host"


def test_no_key_is_in_what_the_server_writes(own_server, instance):
    server = own_server().start()
    server.request("GET", f"/v1/services?key={server.keys.user}")
    server.connect(instance("shop", "i")).next()
    server.stop()
    written = server.stderr() + (server.folder / "hits.db").read_bytes().decode("latin-1")
    assert server.keys.user not in written
    assert "lla_" not in written
    assert server.keys.user not in repr(server.keys)


@pytest.mark.parametrize("service", ["a", "shop", "a.b-c_D9", "_", "-", "x" * 100])
def test_an_agents_key_says_its_service(service):
    key = agent_key(KEYS, service)
    assert service_of(KEYS, key) == service
    assert not is_user(KEYS, key)
    assert service_of(Keys(KEYS.user, b"s" * 32), key) is None
    for changed in (key[:-1], key + "=", key.swapcase(), key.replace("lla", "llu"), key + "\n"):
        assert service_of(KEYS, changed) is None


@pytest.mark.parametrize("name", ["", "x" * 101, "a b", "a/b", "ä", "a\n", "..", ".", "a\0"])
def test_what_cannot_name_a_service(name):
    with pytest.raises(LeadlineError) as caught:
        check_service(name)
    assert caught.value.slug == "bad-service-name"
    assert "\n" not in caught.value.message


def test_the_key_file_is_made_once_and_for_its_owner_alone(tmp_path):
    path = tmp_path / "keys.json"
    keys = load_or_create(path)
    assert load_or_create(path) == keys == load(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["keys.json"]
    path.chmod(0o640)
    with pytest.raises(LeadlineError) as caught:
        load_or_create(path)
    assert caught.value.slug == "key-file-open"


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", "null", '{"user": 5, "agent_root": 5}', "\x00", "[" * 9_000, '{"user":'],
)
def test_a_damaged_key_file_is_not_replaced(tmp_path, content):
    path = tmp_path / "keys.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(LeadlineError) as caught:
        load_or_create(path)
    assert caught.value.slug == "bad-key-file"
    assert path.read_text() == content


def test_a_key_file_in_no_folder(tmp_path):
    with pytest.raises(LeadlineError) as caught:
        load_or_create(tmp_path / "no" / "keys.json")
    assert caught.value.slug == "key-file-unwritable"
    with pytest.raises(LeadlineError) as caught:
        load(tmp_path / "keys.json")
    assert caught.value.slug == "no-key-file"
    assert list(tmp_path.iterdir()) == []
