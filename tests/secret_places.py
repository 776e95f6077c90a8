"""Made-up secrets in realistic places, and innocent things that look alike.

`places()` gives, by name, what a service holds and the text that must not leave with it;
`innocent()` what must. Tokens are put together from parts so that nobody's scanner takes this
file for a leak. Nothing here was ever valid.
"""

import dataclasses
import json
import types

A = "a1B2c3D4"
PLAIN = "correct-horse-battery"
TOKENS = {
    "github": "ghp_" + A * 4 + "a1B2",
    "gitlab": "glpat-" + A * 2 + "a1B2",
    "slack": "xoxb-" + "1234567890-abcdefghij",
    "stripe": "sk_live_" + A * 3,
    "jwt": "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxIn0" + ".dGhpcy1pcy1hLXNpZw",
    "aws": "AKIA" + "IOSFODNN7EXAMPLE",
    "google": "AIza" + "Sy" * 17 + "x",
    "ai": "sk-proj-" + A * 5,
    "mail": "SG." + A * 3 + "." + A * 5,
    "card": "4111 1111 1111 1111",
    "iban": "DE89 3704 0044 0532 0130 00",
    "pem": "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKC\nAQEA7\n-----END RSA PRIVATE KEY-----",
}
NAMES = (
    "password passwd pwd secret api_key apikey access_token refresh_token auth_token token "
    "client_secret private_key SECRET_KEY DB_PASSWORD session_id cookie authorization "
    "credentials passphrase csrf_token card_number cvv ssn pin signing_key"
).split()


@dataclasses.dataclass
class Account:
    user: str
    password: str


class Settings:
    DEBUG = False

    def __init__(self, **values: object) -> None:
        vars(self).update(values)


def places() -> dict[str, tuple[object, str]]:
    """Return (value, secret) by the name of the place."""
    found: dict[str, tuple[object, str]] = {}
    for name in NAMES:
        found[f"settings object, {name}"] = (Settings(**{name: PLAIN}), PLAIN)
        found[f"dictionary, {name}"] = ({"user": "ada", name: PLAIN}, PLAIN)
    for kind, token in TOKENS.items():
        whole = token.splitlines()[1] if kind == "pem" else token
        found[f"harmless name, {kind}"] = ({"value": token}, whole)
        found[f"within a sentence, {kind}"] = (f"could not use {token} here", whole)
        found[f"exception argument, {kind}"] = (RuntimeError(f"bad: {token}"), whole)
        found[f"SQL parameters, {kind}"] = (("insert into t values (?, ?)", (1, token)), whole)
        found[f"nested JSON text, {kind}"] = (
            json.dumps({"a": [{"b": token}]}),
            whole.split("\n")[0],
        )
    for name in ("Authorization", "Cookie", "Set-Cookie", "X-Api-Key", "Proxy-Authorization"):
        found[f"header dictionary, {name}"] = ({name: f"x {PLAIN}", "Accept": "*/*"}, PLAIN)
        found[f"header pairs, {name}"] = ([(name, f"x {PLAIN}"), ("Accept", "*/*")], PLAIN)
        found[f"raw header bytes, {name}"] = ([(name.lower().encode(), PLAIN.encode())], PLAIN)
    for scheme in ("postgres", "mysql", "redis", "amqp", "mongodb", "https"):
        found[f"address, {scheme}"] = (f"{scheme}://ada:{PLAIN}@db:1/x", PLAIN)
    for name in ("token", "api_key", "password", "access_token", "sig"):
        found[f"query, {name}"] = (f"https://example.com/x?page=2&{name}={PLAIN}&z=1", PLAIN)
        found[f"text, {name}="] = (f"login with {name}={PLAIN} failed", PLAIN)
        found[f"JSON text, {name}"] = (json.dumps({"user": "ada", name: PLAIN}), PLAIN)
    found |= {
        "dataclass": (Account("ada", PLAIN), PLAIN),
        "list of dataclasses": ([Account("ada", PLAIN)], PLAIN),
        "namespace": (types.SimpleNamespace(password=PLAIN), PLAIN),
        "deep": ({"a": {"b": {"password": PLAIN}}}, PLAIN),
        "bearer in a text": (f"Authorization: Bearer {A * 3}", A * 3),
        "basic in a text": ("authorization: Basic " + "YWRhOmNvcnJlY3Q=", "YWRhOmNvcnJlY3Q="),
        "environment lines": ([f"DB_PASSWORD={PLAIN}", "HOME=/home/ada"], PLAIN),
        "command line": (["psql", f"--password={PLAIN}"], PLAIN),
        "command line, one text": (f"psql -h db --password={PLAIN} -v", PLAIN),
        "command line, apart": (["psql", "--password", PLAIN], PLAIN),
        "exception with a dictionary": (KeyError({"password": PLAIN}), PLAIN),
        "SQL parameters by name": (("update u set p = :password", {"password": PLAIN}), PLAIN),
        "SQL parameters by place": (("update u set password = ?", (PLAIN,)), PLAIN),
        "harmless name, plain text": ({"motto": PLAIN}, PLAIN),
    }  # fmt: skip
    return found


MISSED = frozenset(
    ("text, sig=", "JSON text, sig", "command line, apart", "harmless name, plain text")
)
"""Places whose secret does leave: `sig` is no secret name, an item of a list is not told by the
one before it, and a text like any other under a harmless name tells nothing."""
FALSE_ALARMS = frozenset(("secretary",))
"""Innocent places that are withheld: the name begins as a secret one does."""


def innocent() -> dict[str, tuple[object, str]]:
    """Return (value, text that must be shown) by name."""
    return {
        "uuid": ("7c9e6679-7425-40de-944b-e07fc1f90ae7", "7c9e6679"),
        "sha": ("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "9f86d081"),
        "order number": ({"number": "4111-2222-3333-4445"}, "4111-2222"),
        "timestamp": ({"at": 1764360000123}, "1764360000123"),
        "phone": ("+49 30 1234567", "1234567"),
        "mail address": ({"email": "ada@example.com"}, "ada@example.com"),
        "address without a password": ("postgres://db:5432/shop", "postgres://db:5432/shop"),
        "page token count": ({"tokens_used": 1234567}, "1234567"),
        "keyboard": ({"keyboard": "qwertz"}, "qwertz"),
        "monkey": ({"monkey": "bonobo"}, "bonobo"),
        "author": ({"author": "Lovelace"}, "Lovelace"),
        "passenger": ({"passenger": "Babbage"}, "Babbage"),
        "pinned": ({"pinned": "yes-please"}, "yes-please"),
        "primary key": ({"primary_key": "order-17"}, "order-17"),
        "sentence": ("the bearer of good news", "good news"),
        "basic sentence": ("a basic question of style", "question"),
        "base64 picture": ("iVBORw0KGgoAAAANSUhEUg", "iVBORw0KGgo"),
        "version": ("1.2.3-rc.4+build.567", "build.567"),
        "path": ("/srv/app/keys/readme.md", "readme.md"),
        "isbn": ("978-3-16-148410-0", "148410"),
        "ean": ("4006381333931", "4006381333931"),
        "compass": ({"compass": "north-by-west"}, "north-by-west"),
        "secretary": ({"secretary": "Miss Moneypenny"}, "Moneypenny"),
        "tokenizer": ({"tokenizer": "sentencepiece"}, "sentencepiece"),
        "cookies allowed": ({"accepts_all": "gladly"}, "gladly"),
        "option": ("sort --key=2,3 --output=orders.csv", "--key=2,3 --output=orders.csv"),
        "rule of dashes": ("---- token=none ----", "token=none"),
        "query": ("https://example.com/x?page=2&sort=name", "sort=name"),
    }  # fmt: skip
