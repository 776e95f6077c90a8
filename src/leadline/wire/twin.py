"""What is asked of a twin, the sealed copy of a live process, and what it answers.

Code that is to run is bound by its digest: `order_text` is what the command line signs with the
service's `LEADLINE_TWIN_KEY`, and what the agent checks before it takes the order.
"""

import json
from _sha2 import sha256  # type: ignore[import-not-found]
from enum import StrEnum
from typing import TYPE_CHECKING

from leadline.wire.errors import UsageError
from leadline.wire.struct import dataclass, field
from leadline.wire.value import Value

if TYPE_CHECKING:
    from leadline.wire.probe import TwinProbe

MAX_CODES = 20
"""Expressions or statements of one ask."""
MAX_CODE_CHARS = 10_000
"""Of all of them together: more is a program, and belongs into a candidate."""
MAX_LINE_CHARS = 10_000
"""Of one request to a shell."""
MAX_RERUNS = 10_000
"""Twins of one order; an ask and a shell have one."""
DEFAULT_RERUNS = 20
"""Enough for a first word on a function, and over within half a minute."""
MAX_CANDIDATE_CHARS = 1_000_000
"""Of a candidate, as JSON: a few large files, each before and after."""
MAX_NAME_CHARS = 200
"""Of the title of a candidate that is told."""
MAX_ANSWER_BYTES = 256_000
"""Of all that one twin answers; what is beyond is cut and counted."""


class TwinUse(StrEnum):
    """What a twin is made for."""

    ASK = "ask"
    SHELL = "shell"
    RERUN = "rerun"
    VERIFY = "verify"
    SAMPLE = "sample"


REPEATS = frozenset((TwinUse.RERUN, TwinUse.VERIFY))
"""Uses that make the live call again, and compare it with what really happened."""
TRIES = frozenset((TwinUse.VERIFY, TwinUse.SAMPLE))
"""Uses that try a candidate: on the call that was hit, or on calls that were captured."""
RUNS_CODE = TRIES | {TwinUse.ASK}
"""Uses whose order brings code: what an ask evaluates, or a candidate."""


CONTROLS = ("control 1", "control 2")
"""The runs of the old code, of one live call of a verify."""
CANDIDATE = "candidate"
AGAIN = ("control again", "candidate again")
"""The runs of a call whose candidate came to something else: that may be luck."""
LIVE = "live"


class TwinPolicy(StrEnum):
    """What a service allows its twins: `off` none at all, `strict` no file, `readonly` files
    of the import path and those that are open, `threads` also threads of their own."""

    OFF = "off"
    STRICT = "strict"
    READONLY = "readonly"
    THREADS = "threads"


LIFE_S: dict[TwinUse, float] = {
    TwinUse.ASK: 6.0,
    TwinUse.SHELL: 60.0,
    TwinUse.RERUN: 6.0,
    TwinUse.VERIFY: 10.0,
    TwinUse.SAMPLE: 180.0,
}
"""How long a twin lives if nothing is said."""
MAX_LIFE_S: dict[TwinUse, float] = {
    TwinUse.ASK: 30.0,
    TwinUse.SHELL: 600.0,
    TwinUse.RERUN: 30.0,
    TwinUse.VERIFY: 180.0,
    TwinUse.SAMPLE: 180.0,
}
"""A twin holds the memory that the live process has changed since: none lives for long."""


class TwinEnd(StrEnum):
    """How a twin ended. One that was cut off, or died, proves nothing."""

    DONE = "done"
    CUT_OFF = "cut_off"
    DIED = "died"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a twin tried and was refused: the call, what of it is known, and how often."""

    what: str
    detail: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Said:
    """What one expression or statement came to.

    `value` is there when `returned` says so; `raised` is the class, the text and the line of
    an exception. `refused` is what it tried, and was refused.
    """

    code: str
    returned: bool = False
    value: Value = None
    printed: str = ""
    raised: str = ""
    refused: list[Refusal] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a rerun differs from what really happened: `result['total']`, `argument cart`."""

    where: str
    live: str
    rerun: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """Whether a rerun came to what really happened.

    `agrees` is None when that is not known, and `reason` says why; `reason` of a disagreement
    names what explains it (`it reads the clock: time.time`), and is empty where nothing does.
    `live` and `rerun` are the outcomes as far as they were compared, which `compared` counts
    in values and `unseen` in values beyond the limits. `marks` are what the rerun met that no
    rerun can repeat: clock readings, random bytes.
    """

    agrees: bool | None
    reason: str = ""
    live: str = ""
    rerun: str = ""
    differences: list[Difference] = field(default_factory=list)
    compared: int = 0
    unseen: int = 0
    marks: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Inside:
    """An exception that was raised in code of the service while a call ran: the class, the
    place (`shop/pricing.py:88`), and where a handler took it; empty if none did."""

    kind: str
    at: str
    handled: str = ""


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of a call: what it came to, as far as there was room to say.

    `what` is `live`, `control 1`, `control 2`, `candidate`, or one of `AGAIN`. `returned`
    is None where the run came to no end, and `cut` says why; else `value` is the result or
    the exception, and `arguments` are the parameters at the end. Where all that is as in
    another run it is not sent again: `same_as` names that. `omitted` are bytes that found
    no room. `raised` is the text of an exception with its frames. `reached` are changed
    lines that were run (`/srv/shop/pricing.py:88`), and None where nobody could watch.
    `inside` are exceptions on the way, the first ones, swallowed or not. `fails` and
    `expect` answer the questions of the order for this run, None where there is no answer,
    and `unknown` says why.

    `yields`, `state`, `given` and `held` are of `trial.place.Ran` (`held` is what it calls
    `inside`); `given` is None where it is as `arguments` are. `path` is of the course. Where
    redaction changed a text, `held` has a digest of what it was, by its path: so that two runs
    can be told apart without it. All that is left out with the outcome, by `same_as`, too.
    `left` says what the run has read that the old code may have left in the process, and by
    which part of the change it would be otherwise; `met` are such parts that it has come by.
    `called` are functions of the service that have run, `FILE:NAME`, without those that the
    runs before it have told already.
    """

    what: str
    returned: bool | None = None
    value: Value = None
    arguments: dict[str, Value] = field(default_factory=dict)
    same_as: str = ""
    cut: str = ""
    raised: str = ""
    printed: str = ""
    reached: list[str] | None = None
    refused: list[Refusal] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    omitted: int = 0
    inside: list[Inside] = field(default_factory=list)
    fails: bool | None = None
    expect: bool | None = None
    unknown: str = ""
    yields: list[Value] = field(default_factory=list)
    state: dict[str, Value] = field(default_factory=dict)
    given: dict[str, Value] | None = None
    held: dict[str, Value] = field(default_factory=dict)
    path: str = ""
    left: dict[str, str] = field(default_factory=dict)
    met: list[str] = field(default_factory=list)
    called: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one live call with a candidate: twice with the old code, once with it.

    `title` and `digest` are the candidate's. `controls` compare the two runs of the old code
    with what really happened, `candidate` compares its run with the first of them, and is None
    where it could not be put in: `obstacle` says why. `live` is the live outcome in words.
    `fails` says whether the first control is a call that the order calls failing, `expect`
    whether the candidate's outcome is as was expected; None is unknown, or was not asked, and
    `unknown` says why. `runs` are all four, the live one first, and those of `AGAIN` if the
    candidate came to something else in a call that does not fail.

    Of a sample, `number` is that of the captured call, from 1, and 0 of what is said of all;
    the live outcome is with the captured call, so it is neither told nor compared here.
    """

    title: str
    digest: str
    controls: list[Agreement] = field(default_factory=list)
    candidate: Agreement | None = None
    live: str = ""
    fails: bool | None = None
    expect: bool | None = None
    unknown: str = ""
    obstacle: str = ""
    runs: list[Ran] = field(default_factory=list)
    number: int = 0


@dataclass(frozen=True, slots=True)
class TwinView:
    """What became of one twin.

    `pause_ms` is what the live process paid, `life_s` how long the twin lived. `end` is how it
    ended, and `reason` says why if it is not `done`. `notes` are for whoever reads the answer:
    `3 thread pools revived`. `lost` counts bytes or messages that found no room.
    """

    use: TwinUse
    policy: TwinPolicy
    end: TwinEnd
    reason: str = ""
    pause_ms: float = 0.0
    life_s: float = 0.0
    said: list[Said] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    agreement: Agreement | None = None
    notes: list[str] = field(default_factory=list)
    lost: int = 0
    tried: Tried | None = None


def code_digest(code: tuple[str, ...]) -> str:
    """Return the SHA-256, in hexadecimal, of code that is to run."""
    return str(sha256(json.dumps(list(code)).encode("ascii")).hexdigest())


def carried(code: tuple[str, ...]) -> tuple[str, str]:
    """Return the title and the digest that the candidate of an order gives itself. Raises
    `UsageError` (`bad-twin`). Whether the digest is of its texts is not looked at here: it is
    when the order is placed, and in the twin before anything is run."""
    try:
        said = json.loads(code[0])
        title, digest = said["title"], said["digest"]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        title = digest = None
    if type(title) is not str or type(digest) is not str:
        raise UsageError("bad-twin", "The code of this order is no candidate.")
    return title[:MAX_NAME_CHARS], digest[:MAX_NAME_CHARS]


def stated(code: tuple[str, ...]) -> tuple[str, str]:
    """Return what an order states beside its candidate: which calls fail, and what has to
    hold with the candidate; empty where it does not. Raises `UsageError` (`bad-twin`)."""
    try:
        said = json.loads(code[0])
        fails, expect = said.get("fails") or "", said.get("expect") or ""
    except (ValueError, AttributeError, IndexError, RecursionError):
        fails = expect = None
    if type(fails) is not str or type(expect) is not str:
        raise UsageError("bad-twin", "The code of this order is no candidate.")
    return fails, expect


def order_text(service: str, probe: "TwinProbe") -> str:
    """Return what is signed of an order: all that decides what runs where, and until when."""
    anchor = probe.anchor
    return json.dumps(
        [
            "leadline twin 1",
            service,
            probe.instance,
            str(probe.use),
            str(probe.target),
            [anchor.text, anchor.function, anchor.digest] if anchor is not None else None,
            probe.condition,
            code_digest(probe.code),
            probe.life_s,
            probe.limits.hits,
            probe.nonce,
            probe.signed_until,
        ]
    )


def line_text(nonce: str, number: int, request: str) -> str:
    """Return what is signed of one request to a shell: each in its place of one session."""
    return json.dumps(["leadline shell 1", nonce, number, request])


def sign(key: str, text: str) -> str:
    """Return the signature of `text`: HMAC-SHA256, in hexadecimal."""
    secret = key.encode("utf-8", "surrogatepass")
    if len(secret) > _BLOCK:
        secret = sha256(secret).digest()
    secret = secret.ljust(_BLOCK, b"\0")
    inner = sha256(bytes(one ^ 0x36 for one in secret) + text.encode("ascii")).digest()
    return str(sha256(bytes(one ^ 0x5C for one in secret) + inner).hexdigest())


def is_signed(key: str, text: str, signature: str) -> bool:
    """Tell whether `signature` is of `text` and of this key; takes the same time either way."""
    expected = sign(key, text)
    if len(expected) != len(signature):
        return False
    differing = 0
    for one, other in zip(expected, signature, strict=True):
        differing |= ord(one) ^ ord(other)
    return differing == 0


_BLOCK = 64
"""Bytes of SHA-256's block, of which HMAC is made."""
