"""Who a process says it is, from Leadline's variables and from OpenTelemetry's."""

import pytest

from leadline.agent.identity import MAX_TAGS, Identity, identity, pairs

NAMES = (
    *("LEADLINE_SERVICE", "LEADLINE_VERSION", "LEADLINE_ENVIRONMENT", "LEADLINE_TAGS"),
    *("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"),
)


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_nothing_said_is_nothing_claimed() -> None:
    assert identity() == Identity()


def test_our_variables_go_before_those_of_opentelemetry(monkeypatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "theirs")
    monkeypatch.setenv(
        "OTEL_RESOURCE_ATTRIBUTES",
        "service.name=resource,service.version=1.2%2C3,deployment.environment.name=test,odd",
    )
    assert identity() == Identity("theirs", "1.2,3", "test", {})
    monkeypatch.setenv("LEADLINE_SERVICE", "ours")
    monkeypatch.setenv("LEADLINE_VERSION", "2.0")
    monkeypatch.setenv("LEADLINE_TAGS", "zone=eu, canary = yes,=nothing,alone")
    assert identity() == Identity("ours", "2.0", "test", {"zone": "eu", "canary": "yes"})


def test_a_foreign_name_is_made_to_fit_an_address(monkeypatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "My Shop/é")
    assert identity().service == "My-Shop--"


@pytest.mark.parametrize("text", ["a=%zz", "a=%", "a=%4", "a=%ff%fe", "a=\udc80"])
def test_what_cannot_be_unescaped_stays(text) -> None:
    assert list(pairs(text)) == ["a"]


def test_tags_are_bounded() -> None:
    many = ",".join(f"t{number}={'v' * 500}" for number in range(100))
    found = pairs(many)
    assert len(found) == MAX_TAGS
    assert max(map(len, found.values())) == 100
