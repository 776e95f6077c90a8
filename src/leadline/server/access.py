"""Who may do what: keys, sign-ins, and what a foreign web page gives itself away by."""

import ipaddress
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request

from leadline.server.keyring import KeyRing
from leadline.server.route import NO_BROWSER, USER, Browser, Route, Who
from leadline.server.sign_ins import SignIns, may_write, write_token
from leadline.wire.errors import RefusedError, UsageError
from leadline.wire.keys import Right
from leadline.wire.struct import dataclass, field

WRITE_HEADER = "leadline-write"
"""What a page of ours sends along when it changes something: see `sign_ins.write_token`."""
PAGE_NAME = "leadline.localhost"
"""The page's own name on this machine. Cookies do not know ports: under `127.0.0.1` the page's
would go to every service that the same browser visits there."""
_READS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the service of an agent's key, or what the audit log calls a user.

    `may` are the rights of a user; `valid` says later whether what they were let in by still
    holds.
    """

    service: str = ""
    who: str = ""
    may: tuple[str, ...] = ()
    key: str = field(default="", repr=False)
    valid: Callable[[], bool] = lambda: True
    browser: Browser = NO_BROWSER


@dataclass(frozen=True, slots=True)
class Doors:
    """The two ways in: a key, or the cookie of a browser that was let in by one."""

    ring: KeyRing
    sign_ins: SignIns

    def authorise(self, route: Route, request: Request) -> Caller:
        """Check what a route needs, and return who asks.

        Raises slugs `no-key`, `bad-key` and `signed-out` for somebody unknown, `wrong-key` for
        the other kind of key, `no-write-token` for a write that no page of ours sent, and
        `no-twin-right` for somebody known who has not the right.
        """
        caller = self._known(route.who, request)
        if route.right is not None and route.waits is None:  # else once the body is read
            check_right(route.right, caller.may)
        return caller

    def _known(self, who: Who, request: Request) -> Caller:
        browser = _browser(request)
        if who is Who.NOBODY:
            return Caller(browser=browser)
        values = request.headers.getlist("authorization")
        if not values and browser.token and who is Who.USER:
            return self._signed_in(request, browser)
        scheme, _, presented = values[0].partition(" ") if len(values) == 1 else ("", "", "")
        presented = presented.strip()
        if scheme.lower() != "bearer" or not presented:
            raise UsageError(
                "no-key",
                "This address needs a key.",
                "Send the header `Authorization: Bearer KEY`.",
            )
        return self._with_key(who, presented, browser)

    def _signed_in(self, request: Request, browser: Browser) -> Caller:
        found = self.sign_ins.holder(browser.token)
        if found is None:
            raise UsageError(
                "signed-out",
                "This browser is not signed in any more.",
                "Sign in again: leadline open",
            )
        sent = request.headers.get(WRITE_HEADER, "")
        if request.method not in _READS and not may_write(browser.token, sent):
            raise RefusedError(
                "no-write-token",
                "This request did not come from a page of this server.",
                "Load the page again.",
            )
        sign_in, holder = found
        token = browser.token
        return Caller(
            who=holder.name or USER,
            may=holder.may,
            valid=lambda: self.sign_ins.valid(token),
            browser=Browser(
                browser.cookie, browser.secure, token, sign_in.until, write_token(token)
            ),
        )

    def _with_key(self, who: Who, presented: str, browser: Browser) -> Caller:
        holder = self.ring.holder(presented)
        if holder is None:
            raise UsageError("bad-key", "The key is not one of this server's.")

        def valid() -> bool:
            return self.ring.valid(presented)

        plain = Browser(browser.cookie, browser.secure)
        if not holder.service:
            if who is Who.USER:
                return Caller("", holder.name or USER, holder.may, presented, valid, plain)
            raise RefusedError(
                "wrong-key",
                "This address is for agents; a user's key never enters a service.",
                "Start the service with the agent key made for its name.",
            )
        if who is Who.USER:
            raise RefusedError(
                "wrong-key", "An agent's key may only connect and report for its own service."
            )
        return Caller(holder.service, holder.service, (), presented, valid, plain)


def check_right(right: Right, may: Collection[str]) -> None:
    """Refuse who has not the right (slug `no-twin-right`)."""
    if right not in may:
        raise RefusedError(
            "no-twin-right",
            "This key may look at services, and may not run code in their twins.",
            "Whoever has the server's own key makes one that may: leadline keys add NAME "
            "--may twin",
        )


def _browser(request: Request) -> Browser:
    """Return what the connection says of a browser; one cookie for each server of a machine."""
    server = request.scope.get("server") or ("", 0)
    cookie = f"leadline-{server[1]}"
    secure = request.url.scheme == "https" or request.headers.get("origin", "").startswith(
        "https://"  # TLS ended before us; `Origin` was compared with `Host` already
    )
    return Browser(cookie, secure, request.cookies.get(cookie, ""))


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
    if host in ("localhost", PAGE_NAME):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
