"""Tokens that are another each time: what is joined to them is not, nor is their form."""

import secrets
import time
import uuid

import pytest

from leadline.trial.comparing import apart
from leadline.trial.outcome import Outcome
from leadline.verify.masks import unmasked

JOINED = {
    "order-{n}-{hex}": "order-{m}-{hex}",
    "ord_{n}_{hex}": "ord_{m}_{hex}",
    "{n}-{uuid}": "{m}-{uuid}",
    "{uuid}-{n}": "{uuid}-{m}",
    "{hex}_{n}.png": "{hex}_{m}.png",
    "user{n}/{hex}.png": "user{m}/{hex}.png",
    "/srv/files/{n}/parts/{hex}": "/srv/files/{m}/parts/{hex}",
    "inv-{uuid}": "rec-{uuid}",
    "inv-{hex}": "rec-{hex}",
    "{hex}": "{HEX}",
    "{uuid}": "{hex}",
    "{hex} ": "{hex}{hex} ",
    "at {ms}: {n}-{hex}": "at {ms}: {m}-{hex}",
}
ALIKE = ("{urlsafe}", "{urlsafe}-{n}", "/tmp/{urlsafe}", "{b64}==")
TRIES = 30


def once(form):
    found = {
        "n": 4, "m": 5, "hex": uuid.uuid4().hex, "HEX": uuid.uuid4().hex.upper(),
        "uuid": uuid.uuid4(), "ms": int(time.time() * 1e3) + secrets.randbelow(10**6),
        "urlsafe": secrets.token_urlsafe(16), "b64": secrets.token_urlsafe(12),
    }  # fmt: skip
    return Outcome(True, {"type": "list", "items": [form.format_map(found), 1]})


def differs(old, new):
    """Tell whether a candidate is seen to differ, of which the old code ran twice."""
    one, other = once(old), once(old)
    return bool(unmasked(apart(one, once(new)), apart(one, other), at_once=True))


@pytest.mark.parametrize("old", JOINED)
def test_what_is_joined_to_a_token_is_compared(old):
    assert all(differs(old, JOINED[old]) for _ in range(TRIES))
    assert not any(differs(old, old) for _ in range(TRIES))


@pytest.mark.parametrize("form", ALIKE)
def test_other_tokens_are_noise_as_a_whole(form):
    assert not any(differs(form, form) for _ in range(TRIES))
