"""Whether a server knows of a service: a name that was mistyped must not look like silence."""

from leadline.cli.client import Client
from leadline.wire.errors import UnavailableError
from leadline.wire.service import check_service


def check_known(client: Client, service: str) -> None:
    """Raises `UnavailableError` (slug `no-such-service`) when no process and no probe of the
    service was ever seen."""
    check_service(service)
    known = [str(one["service"]) for one in client.get("/v1/services")["services"]]
    if service in known:
        return
    raise UnavailableError(
        "no-such-service",
        f"The server knows no service {service!r}.",
        f"It knows {', '.join(known)}." if known
        else f"Start it: leadline run --service {service} -- PROGRAM ...",
    )  # fmt: skip
