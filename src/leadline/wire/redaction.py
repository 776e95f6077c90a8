"""Which names hold secrets: one rule for variables, attributes, keys and source text.

A name is cut into words (`userPassword`, `user_password` and `USER-PASSWORD` are the same two)
and matches when one of its words, two neighbours, or the words run together are on the lists.
Whole words keep `max_tokens` and `tokenizer` readable while `access_token` is not.
"""

import re
from collections.abc import Iterable
from itertools import pairwise

_WORDS = frozenset(
    """
    accesskey apikey apisecret auth authorization bearer cookie cookies credential
    credentials csrf csrftoken cvc cvv iban jwt otp pan passcode passphrase passwd password
    passwords pin privatekey pswd pwd salt secret secretkey secrets sessionid ssn token totp
    xsrf
    """.split()
)
_PAIRS = frozenset(
    """
    access_key api_key api_keys api_secret auth_key card_no card_number client_secret
    credit_card encryption_key master_key pass_phrase pass_word private_key secret_key
    security_code session_id session_key set_cookie signing_key social_security ssh_key
    """.split()
)
_INSIDE = (
    "password",
    "passwd",
    "passphrase",
    "secret",
    "apikey",
    "privatekey",
    "accesstoken",
    "refreshtoken",
    "authtoken",
    "idtoken",
    "creditcard",
    "cardnumber",
    "credential",
)
"""Unmistakable even in the middle of a run-together name such as `dbpassword2`."""

_CUT = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
MAX_NAME_CHARS = 200
"""Longer names are judged by their beginning: a name is not where a long text belongs."""
MAX_OWN_NAMES = 200
"""Names that a service may add; each new name of the application is compared with all."""
MAX_KNOWN = 4_096
"""Names whose rule is remembered; an ordinary service has some hundreds at its probes."""
_also: tuple[str, ...] = ()
known_names: dict[str, str | None] = {}
"""The rules of names that were asked about; the native core looks in here itself."""


def secret_name(name: str) -> str | None:
    """Return the rule that makes a value under `name` a secret, such as `name:password`.

    `name` must be an exact `str`: a subclass would be asked for its hash.
    """
    name = name[:MAX_NAME_CHARS]  # before it is remembered
    try:
        return known_names[name]
    except KeyError:
        pass
    rule = _rule(name)
    if len(known_names) >= MAX_KNOWN:
        known_names.clear()
    known_names[name] = rule
    return rule


def redact_also(names: Iterable[str]) -> None:
    """Make further names secret in this process, in place of those of an earlier call: a word,
    or several in a row, such as `customer_number`."""
    global _also  # noqa: PLW0603 - what a service calls secret is said once, at its start
    _also = tuple(
        run for name in names if (run := "_".join(word.lower() for word in _CUT.findall(name)))
    )[:MAX_OWN_NAMES]
    known_names.clear()


def forget_names() -> None:
    """Let go of every name: an agent that stops keeps nothing of the application alive."""
    known_names.clear()


def _rule(name: str) -> str | None:
    words = [word.lower() for word in _CUT.findall(name)]
    for word in words:
        if word in _WORDS:
            return f"name:{word}"
    for pair in pairwise(words):
        if (joined := "_".join(pair)) in _PAIRS:
            return f"name:{joined}"
    row = f"_{'_'.join(words)}_"
    for own in _also:
        if f"_{own}_" in row:
            return f"name:{own}"
    run = "".join(words)
    for part in _INSIDE:
        if part in run:
            return f"name:{part}"
    return None
