"""The addresses of keys: listing them without showing one, making, revoking, replacing them."""

from collections.abc import Iterator

from msgspec import Struct

from leadline.control.approvals import withdraw
from leadline.server.access import check_right
from leadline.server.bodies import SCHEMA_VERSION
from leadline.server.keyring import KeyRing
from leadline.server.route import Call, Route, Who, route
from leadline.wire import rotation
from leadline.wire.errors import UsageError
from leadline.wire.keys import ALL_RIGHTS, KeyKind, Keys, Right, agent_key

_KEYS = "/v1/keys"


class KeyRow(Struct, frozen=True):
    """One key, or the root of many. `expires_at` is the end of one that was replaced, `used_at`
    when the server saw it last, None if not since it started; `may` are a user's rights."""

    what: KeyKind
    name: str
    created_at: float
    expires_at: float | None
    used_at: float | None
    may: tuple[str, ...] = ()


class KeysAnswer(Struct, frozen=True, kw_only=True):
    """What the key file holds, without any key."""

    schema_version: int = SCHEMA_VERSION
    keys: list[KeyRow]


class AddKeyBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose key it is to be, as the audit log calls them, and what it may beside looking."""

    name: str
    may: tuple[Right, ...] = ()


class AddedKeyAnswer(Struct, frozen=True, kw_only=True):
    """A new user key, shown this once."""

    schema_version: int = SCHEMA_VERSION
    name: str
    key: str
    may: tuple[str, ...] = ()


class RevokedAnswer(Struct, frozen=True, kw_only=True):
    """The name of the key that is none any more."""

    schema_version: int = SCHEMA_VERSION
    revoked: str


class RotateBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Which key is replaced, and how many seconds the old one stays valid."""

    what: KeyKind
    service: str = ""
    grace_s: float = 0.0


class RotatedAnswer(Struct, frozen=True, kw_only=True):
    """The new key, empty for those of all services; `old_until` is when the old one ends."""

    schema_version: int = SCHEMA_VERSION
    what: KeyKind
    service: str
    key: str
    old_until: float


@route("GET", _KEYS, who=Who.USER, returns=KeysAnswer)
def list_keys(call: Call) -> KeysAnswer:
    """List the keys there are, without any key."""
    return KeysAnswer(keys=key_rows(call.ring))


@route("POST", _KEYS, who=Who.USER, body=AddKeyBody, returns=AddedKeyAnswer, status=201)
def add_key(call: Call) -> AddedKeyAnswer:
    """Make a user key with a name of its own; nobody gives a right that they have not."""
    made: list[str] = []
    body: AddKeyBody = call.body
    for right in body.may:
        check_right(right, call.may)

    def add(keys: Keys, now: float) -> Keys:
        after, key = rotation.add_named(keys, body.name, now, body.may)
        made.append(key)
        return after

    call.ring.change(add)
    detail: dict[str, object] = {"name": body.name}
    if body.may:
        detail["may"] = list(body.may)
    call.context.note(call.who, "key-added", detail=detail)
    return AddedKeyAnswer(name=body.name, key=made[0], may=body.may)


@route("DELETE", f"{_KEYS}/{{name}}", who=Who.USER, returns=RevokedAnswer)
def revoke_key(call: Call) -> RevokedAnswer:
    """Make a named user key invalid at once; its orders that wait for a person are refused."""
    name = call.path["name"]
    call.ring.change(lambda keys, _now: rotation.revoke_named(keys, name))
    call.context.note(call.who, "key-revoked", detail={"name": name})
    withdraw(call.context, name, who=call.who)
    return RevokedAnswer(revoked=name)


@route("POST", f"{_KEYS}/rotate", who=Who.USER, body=RotateBody, returns=RotatedAnswer)
def rotate_keys(call: Call) -> RotatedAnswer:
    """Replace the user key, the agent keys of all services, or that of one."""
    body: RotateBody = call.body
    grace_s = rotation.check_grace(body.grace_s)
    if (body.what is KeyKind.SERVICE) != bool(body.service):
        raise UsageError("bad-message", "A `service` is named with `service`, and only then.")
    if body.what is KeyKind.USER:
        for right in Right:  # the answer holds the key that has them all
            check_right(right, call.may)
    moments: list[float] = []

    def replace(keys: Keys, now: float) -> Keys:
        moments.append(now)
        match body.what:
            case KeyKind.USER:
                return rotation.rotate_user(keys, now, grace_s)
            case KeyKind.AGENTS:
                return rotation.rotate_agents(keys, now, grace_s)
            case KeyKind.SERVICE:
                return rotation.rotate_service(keys, body.service, now, grace_s)
        raise UsageError("bad-message", "A named key is revoked, and another one made.")

    keys = call.ring.change(replace)
    call.context.note(
        call.who,
        "key-rotated",
        body.service,
        {"what": body.what, "grace_s": grace_s},
    )
    key = keys.user if body.what is KeyKind.USER else ""
    if body.what is KeyKind.SERVICE:
        key = agent_key(keys, body.service)
    return RotatedAnswer(
        what=body.what, service=body.service, key=key, old_until=moments[0] + grace_s
    )


def key_rows(ring: KeyRing) -> list[KeyRow]:
    """Return what the key file holds, what is valid longest first."""
    return [
        KeyRow(
            kind, name, created_at, until,
            ring.used_at(kind, name, until, since=created_at), may,
        )
        for kind, name, created_at, until, may in _rows(ring.keys())
    ]  # fmt: skip


def _rows(keys: Keys) -> Iterator[tuple[KeyKind, str, float, float | None, tuple[str, ...]]]:
    yield KeyKind.USER, "", keys.user_at, None, ALL_RIGHTS
    for named in keys.named:
        yield KeyKind.NAMED, named.name, named.created_at, None, named.may
    yield KeyKind.AGENTS, "", keys.root_at, None, ()
    for salt in keys.salts:
        yield KeyKind.SERVICE, salt.service, salt.created_at, None, ()
    for old in keys.retired:
        may = ALL_RIGHTS if old.kind is KeyKind.USER else ()
        yield old.kind, old.service, old.created_at, old.until, may


KEY_ROUTES: tuple[Route, ...] = (list_keys, add_key, revoke_key, rotate_keys)
