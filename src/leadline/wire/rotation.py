"""Replacing keys: each function takes the keys as they are and returns them as they should be.

A key that is replaced stays valid for a grace time, so that whoever holds it can be given the
new one. Without a grace time, older ones that still had some lose it too.
"""

import secrets
from collections.abc import Iterable

from leadline.wire.errors import LeadlineError, RefusedError, UsageError
from leadline.wire.keys import (
    KEY_BYTES,
    KeyKind,
    Keys,
    NamedKey,
    Retired,
    Salt,
    base64url,
    digest_of,
    new_user_key,
)
from leadline.wire.service import check_service
from leadline.wire.struct import replace

MAX_GRACE_S = 604_800.0
"""A week: whoever has not restarted a service by then has forgotten it."""
MAX_NAMED = 100
"""User keys with a name; each request is compared with all of them."""
MAX_RETIRED = 100
"""Replaced keys that are still valid; the oldest lose the rest of their time."""
MAX_SALTS = 1_000
"""Services whose key was replaced by itself; beyond it, replace all of them at once."""
RESERVED = ("user", "server")
"""What the audit log calls the key of the key file, and itself."""


class NoSuchKeyError(LeadlineError):
    """There is no user key of that name."""

    def __init__(self, name: str) -> None:
        super().__init__("no-such-key", f"There is no key with the name {name[:100]!a}.")


def rotate_user(keys: Keys, now: float, grace_s: float) -> Keys:
    """Return the keys with a new user key."""
    old = Retired(KeyKind.USER, now + grace_s, keys.user_at, digest=digest_of(keys.user))
    kept = [one for one in keys.retired if grace_s or one.kind is not KeyKind.USER]
    return replace(keys, user=new_user_key(), user_at=now, retired=_pruned([*kept, old], now))


def rotate_agents(keys: Keys, now: float, grace_s: float) -> Keys:
    """Return the keys with a new root: every service's agents have a new key."""
    old = Retired(
        KeyKind.AGENTS, now + grace_s, keys.root_at, root=base64url(keys.root), salts=keys.salts
    )
    kept = [one for one in keys.retired if grace_s or one.kind is KeyKind.USER]
    return replace(
        keys,
        root=secrets.token_bytes(KEY_BYTES),
        root_at=now,
        salts=(),
        retired=_pruned([*kept, old], now),
    )


def rotate_service(keys: Keys, service: str, now: float, grace_s: float) -> Keys:
    """Return the keys with a new agent key for one service.

    Raises slug `bad-service-name`, or `too-many-keys` when there are `MAX_SALTS`.
    """
    check_service(service)
    others = [one for one in keys.salts if one.service != service]
    if len(others) >= MAX_SALTS:
        raise RefusedError(
            "too-many-keys",
            f"The keys of {MAX_SALTS} services were replaced by themselves already.",
            "Replace those of all services at once.",
        )
    before = tuple(one for one in keys.salts if one.service == service)
    old = Retired(
        KeyKind.SERVICE,
        now + grace_s,
        before[0].created_at if before else keys.root_at,
        root=base64url(keys.root),
        salts=before,
        service=service,
    )
    kept: Iterable[Retired] = keys.retired
    if not grace_s:
        kept = [_excluding(one, service) for one in kept if one.service != service]
    return replace(
        keys,
        salts=(*others, Salt(service, secrets.token_hex(16), now)),
        retired=_pruned([*kept, old], now),
    )


def add_named(keys: Keys, name: str, now: float, may: tuple[str, ...] = ()) -> tuple[Keys, str]:
    """Return the keys with one more user key, and that key, which is told this once. `may` are
    its rights.

    Raises slugs `bad-key-name`, `key-exists`, `too-many-keys`.
    """
    try:
        check_service(name)
    except UsageError:
        name = ""
    if not name or name.lower() in RESERVED:
        raise UsageError(
            "bad-key-name",
            "This cannot be the name of a key.",
            "Use 1 to 100 letters, digits, dots, dashes and underscores, but neither "
            f"{' nor '.join(RESERVED)}.",
        )
    if any(one.name == name for one in keys.named):
        raise RefusedError(
            "key-exists", f"There is a key named {name!r} already.", "Revoke it first."
        )
    if len(keys.named) >= MAX_NAMED:
        raise RefusedError("too-many-keys", f"There are {MAX_NAMED} named keys, the most.")
    key = new_user_key()
    made = NamedKey(name, digest_of(key), now, tuple(dict.fromkeys(map(str, may))))
    return replace(keys, named=(*keys.named, made)), key


def revoke_named(keys: Keys, name: str) -> Keys:
    """Return the keys without a named one. Raises slug `no-such-key`."""
    rest = tuple(one for one in keys.named if one.name != name)
    if len(rest) == len(keys.named):
        raise NoSuchKeyError(name)
    return replace(keys, named=rest)


def check_grace(grace_s: float) -> float:
    """Return a grace time if it is one. Raises slug `bad-limit`."""
    if not 0 <= grace_s <= MAX_GRACE_S:  # also refuses nan
        raise UsageError("bad-limit", f"grace_s must be from 0 to {MAX_GRACE_S:,.0f} seconds.")
    return grace_s


def _excluding(old: Retired, service: str) -> Retired:
    """Take one service out of a root that was replaced."""
    if old.kind is not KeyKind.AGENTS:
        return old
    return replace(old, without=(*old.without, service))


def _pruned(retired: list[Retired], now: float) -> tuple[Retired, ...]:
    return tuple([one for one in retired if one.until > now][-MAX_RETIRED:])
