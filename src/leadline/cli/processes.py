"""Which process an instance id stands for, and the other way round."""

from collections.abc import Iterator, Mapping
from typing import Any

from leadline.cli.client import Client
from leadline.wire.errors import UsageError


class Processes:
    """Adds a `pid` to hits that have one; asks the server only for instances that are new."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._pids: dict[str, int] = {}

    def name(self, hit: dict[str, Any]) -> dict[str, Any]:
        """Return `hit` with the process id of its instance, where the server knows it."""
        instance = str(hit["instance"])
        if instance not in self._pids:
            for one in _known(self._client):
                self._pids[one["info"]["id"]] = one["info"]["pid"]
        pid = self._pids.setdefault(instance, 0)
        return {**hit, "pid": pid} if pid else hit


def instance_id(client: Client, text: str) -> str:
    """Return the id of the instance that `text` means: the beginning of an id, or a process id;
    where several are meant, the only one of them that is connected.

    Raises `UsageError` (slugs `no-such-instance`, `ambiguous-instance`).
    """
    known = list(_known(client))
    here = {str(one["info"]["id"]) for one in known if one["connected"]}
    infos = [one["info"] for one in known]
    found = {str(one["id"]) for one in infos if str(one["id"]).startswith(text)}
    found = found or {str(one["id"]) for one in infos if str(one["pid"]) == text}
    if len(found) > 1 and len(found & here) == 1:
        found &= here
    if not found:
        raise UsageError(
            "no-such-instance",
            f"No instance {text[:100]!r} is known.",
            "`leadline status` shows each with its id and process id.",
        )
    if len(found) > 1:
        raise UsageError(
            "ambiguous-instance",
            f"{text[:100]!r} could be any of {len(found)} instances.",
            "Write more of the id.",
        )
    return found.pop()


def _known(client: Client) -> Iterator[Mapping[str, Any]]:
    for service in client.get("/v1/services")["services"]:
        yield from service["instances"]
