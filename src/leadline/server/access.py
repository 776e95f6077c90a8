"""Who may do what: keys, and the two headers that a foreign web page gives itself away by."""

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from leadline.server.keyring import KeyRing
from leadline.server.route import USER, Who
from leadline.wire.errors import RefusedError, UsageError


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the service of an agent's key, or what the audit log calls a user."""

    service: str = ""
    who: str = ""
    key: str = field(default="", repr=False)


def authorise(ring: KeyRing, who: Who, headers: Headers) -> Caller:
    """Check the key that a route needs, and return whose it is.

    Raises slug `no-key` or `bad-key` for somebody unknown, `wrong-key` for the other kind.
    """
    if who is Who.NOBODY:
        return Caller()
    values = headers.getlist("authorization")
    scheme, _, presented = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    presented = presented.strip()
    if scheme.lower() != "bearer" or not presented:
        raise UsageError(
            "no-key",
            "This address needs a key.",
            "Send the header `Authorization: Bearer KEY`.",
        )
    holder = ring.holder(presented)
    if holder is None:
        raise UsageError("bad-key", "The key is not one of this server's.")
    if not holder.service:
        if who is Who.USER:
            return Caller(who=holder.name or USER, key=presented)
        raise RefusedError(
            "wrong-key",
            "This address is for agents; a user's key never enters a service.",
            "Start the service with the agent key made for its name.",
        )
    if who is Who.USER:
        raise RefusedError(
            "wrong-key", "An agent's key may only connect and report for its own service."
        )
    return Caller(service=holder.service, who=holder.service, key=presented)


def check_origin(headers: Headers, arrived_at: str, names: Collection[str]) -> None:
    """Refuse what a browser sends for somebody else's page (slugs `bad-host`, `bad-origin`).

    A name may be made to point here by whoever owns it, so it must be one that we answer to.
    `arrived_at` is the address that the connection came in on: nobody can make that up.
    """
    hosts = headers.getlist("host")
    host = _name(hosts[0]) if len(hosts) == 1 else ""
    if not (_loopback(host) or host in names or (host and host == arrived_at)):
        raise RefusedError(
            "bad-host",
            "This server does not answer to the name in the header `Host`.",
            "Start it with --name NAME for each name that it is reached by.",
        )
    origins = headers.getlist("origin")
    if origins and [urlsplit(origin).netloc.lower() for origin in origins] != [
        hosts[0].lower()
    ]:
        raise RefusedError("bad-origin", "Pages of other sites may not talk to this server.")


def _name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
