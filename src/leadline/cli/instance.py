"""Which running instance a person means: an id, `SERVICE/PID`, or any one of a service."""

from typing import Any

from leadline.cli.client import Client
from leadline.wire.errors import UnavailableError, UsageError


def instance_id(client: Client, meant: str) -> str:
    """Return the id of the instance that `meant` names; of several of a service the one that
    was seen first. Raises as `instance_ids` does."""
    return instance_ids(client, meant)[0]


def instance_ids(client: Client, meant: str) -> list[str]:
    """Return the ids of the instances that `meant` may stand for, the one that was seen first
    at the front. Raises slugs `no-such-instance`, `instance-gone`."""
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
        return [str(one["info"]["id"]) for one in sorted(here, key=_age)]
    if slash:
        raise UsageError(
            "no-such-instance", f"No service {name!r} is known.", "`leadline status` shows all."
        )
    return [meant]


def heading(info: dict[str, Any]) -> str:
    """Return a line about an instance."""
    version = f" {info['version']}" if info.get("version") else ""
    return (
        f"{info['service']}{version}  {info['program']}/{info['pid']} on {info['host']}  "
        f"instance {info['id']}"
    )


def _age(one: dict[str, Any]) -> float:
    return float(one["first_seen"])
