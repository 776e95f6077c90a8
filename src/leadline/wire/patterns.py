"""Which texts hold a secret whatever name they stand under: rules over the text itself.

Each rule has a name, such as `pattern:jwt`, that stands in the place of what it found. A rule
is tried only where one of its marks is in the text, and every expression is linear: each part
ends where the next begins, takes what it can without giving back, or has a bound. So a text
of any size takes a time in proportion to it.

A text that was cut at a limit is judged by its end too: the first half of a key is withheld
like a whole one.
"""

import binascii
import re
from collections.abc import Callable, Iterable
from functools import cache

from leadline.wire.redaction import secret_name
from leadline.wire.struct import dataclass

_compiled = cache(re.compile)
"""When it is needed, which it may never be: all of them take 10 ms of a process' start."""

type Verdict = Callable[[re.Match[str]], bool]

MIN_SECRET_CHARS = 8
"""Shorter texts than this hold none of these, but for a number of a card that was cut."""
CARD_DIGITS = (13, 19)
"""Lengths of card numbers, ISO/IEC 7812."""
MAX_NAME_CHARS = 40
"""Of a name before an equals sign; longer ones are no names of settings."""
_MIN_CUT_DIGITS = 7
"""Digits at the end of a cut text that could be a card's: its first six are no secret."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """`marks` are texts, in small letters, one of which is in every text that has a match.
    The group `secret` is what is replaced, by default all of the match."""

    rule: str
    marks: tuple[str, ...]
    expression: str
    verdict: Verdict | None = None


def redacted(rule: str) -> str:
    """Return what stands in a text where something was taken out."""
    return f"<redacted {rule}>"


def find_and_replace(text: str, *, cut: bool = False, named: bool = True) -> str:
    """Return `text` without the secrets in it; the very same object if there are none.

    `cut` says that it goes on where it came from. `named` is the rule for `password=...`,
    which a text that a person has written around values need not obey.
    """
    small = text.lower()
    for index in sorted({index for mark, index in _MARKS if mark in small}):
        if named or PATTERNS[index].rule != NAMED:
            text = _replace(text, PATTERNS[index])
    if _DIGIT.search(text) is not None:
        text = _accounts(_numbers(text))
    return _end(text) if cut else text


def whole_rule(text: str) -> str:
    """Return the rule if `text` is nothing but what a rule put in the place of a secret."""
    found = _WHOLE.fullmatch(text)
    return found[1] if found is not None else ""


def is_card(number: int) -> bool:
    """Tell whether a whole number is a card's."""
    low, high = CARD_DIGITS
    return 10 ** (low - 1) <= number < 10**high and _card(str(number))


def cloud_secrets(text: str) -> str:
    """Return `text` without what looks like the secret half of an AWS key.

    For texts that stand near the other half only: many harmless texts look like that.
    """
    return _AWS_SECRET.sub(redacted("pattern:aws-secret"), text)


def has_cloud_key(text: str) -> bool:
    """Tell whether a text has, or had, the public half of an AWS key."""
    return _AWS_RULE in text or _AWS_KEY.search(text) is not None


def _replace(text: str, pattern: Pattern) -> str:
    def put(found: re.Match[str]) -> str:
        if pattern.verdict is not None and not pattern.verdict(found):
            return found[0]
        start, end = found.span("secret")
        whole, offset = found[0], found.start()
        return whole[: start - offset] + redacted(pattern.rule) + whole[end - offset :]

    return _compiled(pattern.expression).sub(put, text)


def _credentials(found: re.Match[str]) -> bool:
    """Tell a token from an English word: "bearer certificates", "basic authentication"."""
    secret = found["secret"]
    if found["scheme"].lower() == "basic":
        try:
            octets = binascii.a2b_base64(secret[: len(secret) // 4 * 4])
        except (binascii.Error, ValueError):
            return False
        ended = found.end() == len(found.string)
        return (b":" in octets or ended) and all(32 <= one < 127 for one in octets)
    return len(secret) >= 20 or any("0" <= one <= "9" for one in secret)


def _is_named_secret(found: re.Match[str]) -> bool:
    secret = found["secret"]
    if secret.lower() in _NOTHING or secret.startswith("<redacted"):
        return False
    return secret_name(found["name"]) is not None


def _numbers(text: str) -> str:
    """Take out numbers of cards: digits in one run, or in groups with a blank or a dash."""

    def put(found: re.Match[str]) -> str:
        run = found[0]
        groups = _DIGITS.findall(run)
        if len(groups) == 1:
            return redacted(CARD) if _card(run) else run
        places = [one.span() for one in _DIGITS.finditer(run)]
        out: list[str] = []
        done = first = 0
        while first < len(groups):
            last = _card_groups(groups, first)
            if last:
                out += (run[done : places[first][0]], redacted(CARD))
                done = places[last - 1][1]
            first = last or first + 1
        return "".join((*out, run[done:]))

    return _CARD_RUN.sub(put, text)


def _card_groups(groups: list[str], first: int) -> int:
    """Return the index after the groups that make a card's number, or 0."""
    digits = ""
    for index in range(first, len(groups)):
        if not 1 <= len(groups[index]) <= CARD_DIGITS[1]:
            return 0
        digits += groups[index]
        if len(digits) > CARD_DIGITS[1]:
            return 0
        if len(digits) >= CARD_DIGITS[0] and _card(digits):
            return index + 1
    return 0


def _card(digits: str) -> bool:
    """Tell whether digits are a card's number: by length, issuer and Luhn's check digit."""
    low, high = CARD_DIGITS
    if not low <= len(digits) <= high or digits[0] not in "23456":
        return False
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = ord(digit) - 48
        if index % 2:
            value = value * 2 - 9 * (value > 4)
        total += value
    return total % 10 == 0


def _accounts(text: str) -> str:
    """Take out international bank account numbers whose check digits are right."""

    def put(found: re.Match[str]) -> str:
        run = found[0]
        length = _IBAN_CHARS.get(run[:2], 0)
        letters = [(index, one) for index, one in enumerate(run) if one != " "][:length]
        if not length or len(letters) < length:
            return run
        end = letters[-1][0] + 1
        if run[end : end + 1].isalnum():
            return run
        plain = "".join(one for _, one in letters)
        digits = "".join(str(int(one, 36)) for one in plain[4:] + plain[:4])
        return redacted(IBAN) + run[end:] if int(digits) % 97 == 1 else run

    return _IBAN.sub(put, text)


def _end(text: str) -> str:
    """Take out what began at the end of a text that was cut."""
    for rule, expression in _ENDS:
        found = _compiled(expression).search(text, max(0, len(text) - _END_CHARS))
        if found is not None:
            return text[: found.start("secret")] + redacted(rule)
    return text


def _pattern(
    rule: str, marks: Iterable[str], expression: str, verdict: Verdict | None = None
) -> Pattern:
    if "(?P<secret>" not in expression:
        expression = f"(?P<secret>{expression})"
    return Pattern(f"pattern:{rule}", tuple(marks), expression, verdict)


CARD = "pattern:card"
NAMED = "pattern:named"
IBAN = "pattern:iban"
_NOTHING = frozenset(("none", "null", "true", "false", "nil", "undefined"))
_WHOLE = re.compile(r"<redacted (pattern:[a-z-]{1,20})>")
_DIGIT = re.compile(r"[0-9]")
_DIGITS = re.compile(r"[0-9]++")
_CARD_RUN = re.compile(r"[0-9](?<![0-9A-Za-z.][0-9])[0-9 -](?:[ -]?[0-9]){11,}+(?![0-9A-Za-z])")
_IBAN = re.compile(r"[A-Z]{2}(?<![A-Za-z0-9][A-Z]{2})[0-9]{2}(?: ?[A-Z0-9]){11,40}+")
"""Both begin with what is rare, and look back from there: so most of a text is skipped."""
_IBAN_CHARS = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FO GL NL",
        19: "MK SI",
        20: "AT BA EE KZ LT LU XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "PT",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO EG GT HU LB NI PL SV",
        29: "BR PS QA UA",
        30: "JO KW MU",
        31: "MT SC",
    }.items()
    for country in countries.split()
}
"""Characters of an account number by country, from the register of ISO 13616."""
_BEFORE = r"(?<![A-Za-z0-9_-])"
_AWS_RULE = redacted("pattern:aws-key")
_AWS_KEY = re.compile(r"(?<![A-Z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Z0-9])")
_AWS_SECRET = re.compile(
    r"(?<![A-Za-z0-9/+=_-])(?=[A-Za-z0-9/+]*[A-Z/+])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_-])"
)
_KEY_BLOCK = r"-----(?:BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_TOKENS = {
    "github": (
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        r"(?:gh[pousr]_[A-Za-z0-9]{16,}+|github_pat_[A-Za-z0-9_]{16,}+)",
    ),
    "gitlab": (("gl",), r"gl(?:pat|ptt|dt|rt|cbt|oas|soat|agent|ft|imt)-[\w.-]{16,}+"),
    "slack": (
        ("xox", "xapp-", "hooks.slack.com/services/"),
        (
            r"(?:xox[abceoprs]-[A-Za-z0-9-]{10,}+|xapp-[A-Za-z0-9-]{10,}+"
            r"|hooks\.slack\.com/services/[A-Za-z0-9/_-]{16,}+)"
        ),
    ),
    "stripe": (
        ("k_live_", "k_test_", "whsec_"),
        r"(?:[sr]k_(?:live|test)_[A-Za-z0-9]{10,}+|whsec_[A-Za-z0-9+/=]{16,}+)",
    ),
    "ai-key": (
        ("sk-", "hf_", "gsk_"),
        r"(?:sk-[A-Za-z0-9_-]{20,}+|(?:hf|gsk)_[A-Za-z0-9]{30,}+)",
    ),
    "gcp-key": (
        ("aiza", "ya29.", "gocspx-"),
        r"(?:AIza[\w-]{30,}+|ya29\.[\w-]{20,}+|GOCSPX-[\w-]{20,}+)",
    ),
    "aws-key": (("akia", "asia", "abia", "acca"), _AWS_KEY.pattern),
    "token": (
        ("sg.", "npm_", "pypi-", "do", "shp", "hv", "age-secret-key-1", "lla_", "llu_"),
        (
            r"(?:SG\.[\w-]{16,}+\.[\w-]{16,}+|npm_[A-Za-z0-9]{30,}+|pypi-[\w-]{50,}+"
            r"|do[opr]_v1_[a-f0-9]{40,}+|shp(?:at|ca|pa|ss)_[a-f0-9]{32}|hv[sbr]\.[\w-]{20,}+"
            r"|AGE-SECRET-KEY-1[A-Z0-9]{20,}+|ll[au]_[\w-]{20,}+)"
        ),
    ),
}
PATTERNS: tuple[Pattern, ...] = (
    _pattern(
        "private-key",
        ("private key",),
        rf"(?s:{_KEY_BLOCK.replace('BEGIN|END', 'BEGIN')}.*?(?:{_KEY_BLOCK}|\Z))",
    ),
    _pattern("private-key", ("private key",), rf"(?s:\A.*?{_KEY_BLOCK.replace('BEGIN|', '')})"),
    _pattern(
        "jwt", ("eyj",), rf"{_BEFORE}eyJ[A-Za-z0-9_-]{{12,}}+(?:\.[A-Za-z0-9_-]*+){{0,4}}"
    ),
    _pattern(
        "bearer",
        ("bearer", "token"),
        rf"(?i:{_BEFORE}(?P<scheme>bearer|token)\s{{1,5}}(?P<secret>[A-Za-z0-9._~+/=-]{{8,}}+))",
        _credentials,
    ),
    _pattern(
        "basic",
        ("basic",),
        rf"(?i:{_BEFORE}(?P<scheme>basic)\s{{1,5}}(?P<secret>[A-Za-z0-9+/]{{8,}}+={{0,2}}))",
        _credentials,
    ),
    _pattern(
        "url-password",
        ("://",),
        r"://[^\s/?#@:\"'<>]{0,256}+:(?P<secret>[^\s/?#\"'<>]{1,512})@",
    ),
    _pattern("url-password", ("://",), r"://(?P<secret>[^\s/?#@:\"'<>]{20,256}+)@"),
    _pattern(
        "azure",
        ("accountkey", "sharedaccess", "sig="),
        r"(?i:(?:AccountKey|SharedAccessKey|SharedAccessSignature)\s{0,3}=\s{0,3}"
        r"(?P<secret>[^;\"'\s]{4,}+))",
    ),
    _pattern("azure", ("sig=",), r"(?i:[?&;]sig=(?P<secret>[A-Za-z0-9%+/=_-]{16,}+))"),
    *(
        _pattern(rule, marks, expression if rule == "aws-key" else _BEFORE + expression)
        for rule, (marks, expression) in _TOKENS.items()
    ),
    _pattern(
        "aws-secret",
        ("aws",),
        r"(?i:aws.{0,40}?(?:secret|key).{0,20}?[=:]\s{0,3}[\"']?"
        r"(?P<secret>(?<![A-Za-z0-9/+])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])))",
    ),
    _pattern(
        "named",
        ("=", '":', "':"),
        rf"(?<![\w-])-{{0,2}}+(?P<name>[A-Za-z_][\w-]{{1,{MAX_NAME_CHARS}}}+)(?:=|[\"']\s{{0,3}}:\s{{0,3}}"
        r"(?=[\"']))[\"']?(?P<secret>[^\s\"'&;,(){}\[\]]{1,}+)",
        _is_named_secret,
    ),
)
"""Every rule but for numbers, in the order in which they are tried."""
_MARKS = tuple(
    (mark, index) for index, pattern in enumerate(PATTERNS) for mark in pattern.marks
)
_END_CHARS = 512
"""How far back from the end of a cut text a secret's beginning is looked for."""
_ENDS: tuple[tuple[str, str], ...] = (
    (
        "pattern:private-key",
        (r"(?P<secret>-----BEGIN [A-Z0-9 ]{0,40}(?:PRIVATE KEY)?(?: BLOCK)?-{0,5}\Z)"),
    ),
    ("pattern:jwt", (rf"{_BEFORE}(?P<secret>eyJ[\w.-]{{0,300}}+\Z)")),
    (
        "pattern:bearer",
        (rf"(?i:{_BEFORE}(?:bearer|basic)\s{{1,5}}(?P<secret>\S{{1,300}}+\Z))"),
    ),
    (
        "pattern:token",
        (
            rf"{_BEFORE}(?P<secret>(?:gh[pousr]_|github_pat_|gl[a-z]{{2,5}}-|xox[abceoprs]-|xapp-"
            r"|[sr]k_(?:live|test)_|whsec_|sk-|hf_|gsk_|AIza|ya29\.|GOCSPX-|AKIA|ASIA|SG\.|npm_"
            r"|pypi-|do[opr]_v1_|shp[a-z]{2}_|hv[sbr]\.|ll[au]_)[\w.-]{0,300}+\Z)"
        ),
    ),
    (
        "pattern:url-password",
        (r"://[^\s/?#@:\"'<>]{0,256}+:(?P<secret>[^\s/?#@\"'<>]{1,256}+\Z)"),
    ),
    (
        CARD,
        (rf"(?<![\w.])(?P<secret>[2-6](?:[ -]?[0-9]){{{_MIN_CUT_DIGITS - 1},18}}+[ -]?\Z)"),
    ),
    (
        IBAN,
        (
            rf"(?<![A-Za-z0-9])(?P<secret>(?:{'|'.join(_IBAN_CHARS)})[0-9]{{2}}"
            r"(?: ?[A-Z0-9]){3,32}+ ?\Z)"
        ),
    ),
)
