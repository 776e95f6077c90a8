"""Secrets by their looks: found whole, cut, in values of every shape; and nothing else."""

import json

import pytest

from leadline.wire import patterns
from leadline.wire.patterns import find_and_replace
from leadline.wire.scrubbing import scrub_text, scrub_value, scrub_values
from leadline.wire.strictness import strict_value
from leadline.wire.value import render

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dGhpcy1pcy1hLXNpZw"
AWS_ID, AWS_SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKC\nAQEA7\n-----END RSA PRIVATE KEY-----"
SECRETS = {
    PEM: "private-key",
    PEM.replace("RSA PRIVATE KEY", "OPENSSH PRIVATE KEY"): "private-key",
    PEM.replace("RSA PRIVATE KEY", "PGP PRIVATE KEY BLOCK"): "private-key",
    JWT: "jwt",
    AWS_ID: "aws-key",
    "AIza" + "Sy" * 17 + "x": "gcp-key",
    "ya29.a0AfH6SMBx-1234567890abcdef": "gcp-key",
    "ghp_" + "a1B2" * 9: "github",
    "github_pat_" + "a1B2" * 9: "github",
    "glpat-" + "a1B2" * 5: "gitlab",
    "xoxb-1234567890-abcdefghij": "slack",
    "sk_live_" + "a1B2" * 6: "stripe",
    "sk-proj-" + "a1B2" * 9: "ai-key",
    "sk-ant-api03-" + "a1B2" * 9: "ai-key",
    "SG." + "a1B2" * 5 + "." + "a1B2" * 10: "token",
    "lla_shop_" + "a1B2" * 8: "token",
    "4111 1111 1111 1111": "card",
    "4111-1111-1111-1111": "card",
    "5555555555554444": "card",
    "378282246310005": "card",
    "30569309025904": "card",
    "6011111111111117": "card",
    "4222222222222": "card",
    "DE89 3704 0044 0532 0130 00": "iban",
    "GB82WEST12345698765432": "iban",
}
PARTS = {
    "Authorization: Bearer {}": ("bearer", "mF_9.B5f-4.1JqM"),
    "authorization: Basic {}": ("basic", "dXNlcjpodW50ZXIy"),
    "postgres://ada:{}@db:5432/shop": ("url-password", "hunter2"),
    "see amqp://ada:{}@mq now": ("url-password", "p@ss:w"),
    "redis://:{}@cache": ("url-password", "hunter2"),
    "https://{}@example.com/x.git": ("url-password", "a1B2c3D4e5F6g7H8i9J0"),
    "AccountName=x;AccountKey={};E=y": ("azure", "abcd1234+/=="),
    "https://x.blob/c?sv=1&sig={}": ("azure", "abcdefghijklmnop%2Fqrs%3D"),
    "aws_secret_access_key = {}": ("aws-secret", AWS_SECRET),
    "x?access_token={}&page=2": ("named", "hunter2"),
    'body {"password": "{}"}': ("named", "hunter2"),
    "Server=db;Password={};": ("named", "hunter2"),
}
HARMLESS = [
    "basic authentication is off",
    "bearer certificates",
    "max_tokens=100",
    "invalid token: str",
    "http://host:8080/path@x",
    "task-force-of-something-long",
    "1700000000000000000",
    "1700000000000",
    "4111 1111 1111 1112",
    "550e8400-e29b-41d4-a716-446655440000",
    "0.4111111111111111",
    "DE88 3704 0044 0532 0130 00",
    "password=None",
    "the key is under the mat",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----",
]


@pytest.mark.parametrize("secret", SECRETS, ids=lambda text: text[:12])
def test_secrets_are_found_and_the_rule_is_named(secret) -> None:
    rule = f"pattern:{SECRETS[secret]}"
    assert scrub_value(secret) == {"type": "str", "omitted": "redacted", "rule": rule}
    for around in ("{}", "see {}, please", "x={}", '"{}"', "\n{}\n", "({})"):
        text = around.replace("{}", secret)
        assert find_and_replace(text) == around.replace("{}", f"<redacted {rule}>")


@pytest.mark.parametrize("text", PARTS)
def test_of_a_text_with_a_secret_in_it_the_rest_stays(text) -> None:
    rule, secret = PARTS[text]
    wanted = text.replace("{}", f"<redacted pattern:{rule}>")
    assert find_and_replace(text.replace("{}", secret)) == wanted


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays_and_is_the_same_object(text) -> None:
    assert find_and_replace(text) is text or find_and_replace(text) == text
    assert scrub_value(text) == text


@pytest.mark.parametrize(
    "secret", [*SECRETS, "Bearer mF_9.B5f-4.1JqM", "postgres://a:hunter2@h"]
)
def test_what_was_cut_does_not_leak_its_beginning(secret) -> None:
    """Wherever the limit of a text falls, at most the kind of secret is told."""
    for end in range(1, len(secret)):
        text = "x" * 200 + " " + secret[:end]
        value = {"type": "str", "text": text, "length": 10_000, "omitted": "text"}
        shown = scrub_value(value)["text"].removeprefix("x" * 200 + " ")
        if secret.startswith("-----"):
            assert "MII" not in shown
        elif "<redacted" not in shown:
            assert len(shown) <= len("postgres://a:"), shown


def test_a_key_without_its_beginning_is_found_by_its_end() -> None:
    assert scrub_text(PEM[40:] + " tail") == "<redacted pattern:private-key> tail"


def test_values_of_every_shape() -> None:
    value = {
        "type": "Order",
        "fields": {
            "number": 4111111111111111,
            "note": {"type": "bytes", "text": f"key {AWS_ID}"},
            "rows": {"type": "list", "length": 1, "items": [JWT, 3, None, True, 1.5]},
            "map": {"type": "dict", "entries": [[AWS_ID, 1], ["k", "4111111111111111"]]},
            "big": {"type": "int", "text": "6304000000000000"},
            JWT: 1,
        },
        "about": {"cause": {"type": "E", "form": "call", "items": [f"for {PEM}"]}},
    }
    text = json.dumps(scrub_value(value))
    for secret in (AWS_ID, JWT, "4111", "MIIE", "6304"):
        assert secret not in text
    assert render(scrub_value({"type": "dict", "entries": [[JWT, 1]]})) == (
        "{<redacted pattern:jwt>: 1}"
    )
    assert scrub_value([1]) == [1]


def test_half_of_a_cloud_key_makes_the_other_half_one() -> None:
    alone = {"a": {"type": "list", "items": [AWS_SECRET, "x" * 40]}}
    assert scrub_values(alone) == alone
    beside = scrub_values({**alone, "b": f"id {AWS_ID}"})
    assert AWS_SECRET not in json.dumps(beside)
    assert "pattern:aws-secret" in json.dumps(beside)
    assert "x" * 40 in json.dumps(beside)
    assert AWS_SECRET not in scrub_text(f"{AWS_ID} {AWS_SECRET}")


def test_what_a_person_has_written_around_values_stays() -> None:
    assert scrub_text("token=7") == "token=7"
    assert scrub_text(f"token={JWT}") == "token=<redacted pattern:jwt>"


HARD = [
    "eyJ", "eyJaaaaaaaaaaaaa.", "://", "://a:", "://a:b", "1", "4111 ", "4 ", "4-", "bearer ",
    "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "-----BEGIN RSA ", "aws key",
    "aws key=", "a=", "password=", "DE89", "DE89 3704 ", "?sig=", "glpat-", "sk-a-", "ghp_",
    '"a":', "://a:b@c@d@", "basic      ", "AccountKey = ", "AKIA", "SG.a", "xoxb-", " ", "'",
]  # fmt: skip


@pytest.mark.parametrize("unit", HARD)
def test_the_work_grows_with_the_text_and_no_faster(unit) -> None:
    """What is quadratic takes many minutes for so long a text, and the test's time is up."""
    text = unit * (300_000 // len(unit))
    assert len(find_and_replace(text, cut=True)) <= 5 * len(text)


def test_every_rule_is_documented_and_tried() -> None:
    rules = {one.rule for one in patterns.PATTERNS} | {patterns.CARD, patterns.IBAN}
    tried = {f"pattern:{rule}" for rule in SECRETS.values()}
    assert rules == tried | {f"pattern:{rule}" for rule, _ in PARTS.values()}


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (12, "12"),
        (1.5, "1.5"),
        (None, "None"),
        (True, "True"),
        ("ada", "<redacted strict: str of 3>"),
        ({"type": "str", "text": "ada", "length": 300, "omitted": "text"},
         "<redacted strict: str of 300>"),
        ({"type": "int", "text": "9" * 30}, "9" * 30),
        ({"type": "Decimal", "text": "12.50"}, "Decimal('12.50')"),
        ({"type": "Decimal", "text": "ada 7"}, "<redacted strict>"),
        ({"type": "datetime", "text": "2026-01-01"}, "<redacted strict>"),
        ({"type": "dict", "length": 1, "entries": [["ada", 1], [7, "x"]]},
         "{<redacted strict: str of 3>: 1, <redacted strict>: <redacted strict: str of 1>}"),
        ({"type": "Order", "fields": {"number": 7, "name": "ada"}},
         "Order(number=7, name=<redacted strict: str of 3>)"),
        ({"type": "E", "form": "call", "items": ["bad", 3]},
         "E(<redacted strict: str of 3>, 3)"),
        ({"type": "Color", "text": "RED", "form": "member", "about": {"value": 1}},
         "<redacted strict>"),
        ({"type": "?", "omitted": "unknown", "rule": "no key 'ada'"}, "<unknown>"),
        ({"type": "str", "omitted": "redacted", "rule": "name:password"},
         "<redacted name:password>"),
        ({"type": "ndarray", "length": 2, "items": [1, 2], "about": {"dtype": "int64"}},
         "ndarray([1, 2], dtype=<redacted strict: str of 5>)"),
        (["not a value"], "<redacted strict>"),
    ],
    ids=str,
)  # fmt: skip
def test_strictly_only_numbers_and_lengths_are_left(value, left) -> None:
    assert render(strict_value(value)) == left
