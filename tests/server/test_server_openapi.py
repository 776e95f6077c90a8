"""The description of the addresses: valid OpenAPI, complete, and true of what is answered."""

import gzip
import json
import re

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from leadline.server.openapi import describe
from leadline.server.route import Flow, Who
from leadline.server.routes import ROUTES


@pytest.fixture
def described(server):
    return server.request("GET", "/v1/openapi.json").json


def schema_of(described, method, path, status):
    answer = described["paths"][path][method.lower()]["responses"][str(status)]
    reference = answer["content"]["application/json"]["schema"]
    return {**reference, "components": described["components"]}


def test_it_is_valid_and_what_is_wrong_would_be_found(described):
    OpenAPIV31SpecValidator(described).validate()
    broken = describe(ROUTES)
    broken["paths"]["/health"]["get"]["responses"]["200"].pop("description")
    assert list(OpenAPIV31SpecValidator(broken).iter_errors())


def test_it_is_compressed_for_whoever_takes_that_and_a_stream_is_not(server, described):
    takes = {"Accept-Encoding": "gzip"}
    answer = server.request("GET", "/v1/openapi.json", headers=takes)
    assert answer.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(answer.body)) == described
    assert len(answer.body) * 4 < len(json.dumps(described))
    stream = server.watch(headers=takes).opened()
    assert stream.response.getheader("content-encoding") is None


def test_every_route_is_in_it_and_no_other(described):
    found = {
        (method.upper(), path)
        for path, methods in described["paths"].items()
        for method in methods
    }
    assert found == {(one.method, one.path) for one in ROUTES}
    names = [
        one["operationId"] for path in described["paths"].values() for one in path.values()
    ]
    assert len(names) == len(set(names)) == len(ROUTES)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_route_says_what_it_takes_and_gives(described, route):
    operation = described["paths"][route.path][route.method.lower()]
    assert operation["summary"] == route.summary
    keys = {Who.USER: "userKey", Who.AGENT: "agentKey"}
    assert operation["security"] == ([{keys[route.who]: []}] if route.who in keys else [])
    given = operation.get("parameters", [])
    in_path = {one["name"] for one in given if one["in"] == "path"}
    assert in_path == set(re.findall(r"{(\w+)}", route.path))
    in_query = {one["name"] for one in given if one["in"] == "query"}
    assert in_query == set(route.query.__struct_fields__ if route.query else ())
    assert ("requestBody" in operation) == (route.body is not None)
    good = operation["responses"][str(route.status)]
    if route.events:
        assert list(good["content"]) == ["text/event-stream"]
        assert all(f"`{name}`" in good["description"] for name in route.events)
    elif route.status == 204:
        assert "content" not in good
    else:
        assert list(good["content"]) == ["application/json"]
    assert bool(route.events) == (route.handler.__annotations__["return"] is Flow)


def test_answers_are_as_described(described, server, instance, some_hits):
    info = instance("openapi", "o-1")
    stream = server.connect(info)
    stream.next()
    probe = server.place("openapi")["id"]
    answers = [
        ("GET", "/health", "/health", None),
        ("GET", "/v1/services", "/v1/services", None),
        ("GET", "/v1/probes", "/v1/probes", None),
        ("GET", "/v1/probes/{probe}", f"/v1/probes/{probe}", None),
        ("GET", "/v1/hits", "/v1/hits?limit=5", None),
        ("GET", "/v1/keys", "/v1/keys", None),
        ("POST", "/v1/services/{service}/off", "/v1/services/openapi/off", {"reason": "x"}),
        ("POST", "/v1/services/{service}/on", "/v1/services/openapi/on", None),
        ("DELETE", "/v1/probes/{probe}", f"/v1/probes/{probe}", None),
    ]
    for method, path, address, body in answers:
        answer = server.request(method, address, body)
        schema = schema_of(described, method, path, answer.status)
        Draft202012Validator(schema).validate(answer.json)
    wrong = server.request("GET", "/v1/probes/p999999")
    schema = schema_of(described, "GET", "/v1/probes/{probe}", "4XX")
    Draft202012Validator(schema).validate(wrong.json)
    assert not Draft202012Validator(schema).is_valid({"error": {"slug": 5}})


def test_it_says_nothing_of_this_server(described, server):
    text = str(described)
    assert server.keys.user not in text
    assert str(server.folder) not in text
