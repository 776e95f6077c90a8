"""Which running instance a person means: an id, `SERVICE/PID`, or a service's only one."""

from typing import Any

from leadline.cli.client import Client
from leadline.wire.errors import UnavailableError, UsageError


def instance_id(client: Client, meant: str) -> str:
    """Return the id of the instance that `meant` names; of several of a service the one that
    was seen first. Raises slugs `no-such-instance`, `instance-gone`."""
    name, slash, pid = meant.partition("/")
    for service in client.get("/v1/services")["services"]:
        if service["service"] != name:
            continue
        here = [one for one in service["instances"] if one["connected"]]
        if slash:
            here = [one for one in here if str(one["info"]["pid"]) == pid]
        if not here:
            raise UnavailableError(
                "instance-gone",
                f"No instance of {name!r} is connected"
                + (f" with pid {pid}." if slash else "."),
                "`leadline status` shows those that are.",
            )
        return str(min(here, key=_age)["info"]["id"])
    if slash:
        raise UsageError(
            "no-such-instance", f"No service {name!r} is known.", "`leadline status` shows all."
        )
    return meant


def heading(info: dict[str, Any]) -> str:
    """Return a line about an instance."""
    version = f" {info['version']}" if info.get("version") else ""
    return (
        f"{info['service']}{version}  {info['program']}/{info['pid']} on {info['host']}  "
        f"instance {info['id']}"
    )


def _age(one: dict[str, Any]) -> float:
    return float(one["first_seen"])
