"""Which process an instance id stands for, asked of the server only when it is new."""

from typing import Any

from leadline.cli.client import Client


class Processes:
    """Adds a `pid` to hits that have one."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._pids: dict[str, int] = {}

    def name(self, hit: dict[str, Any]) -> dict[str, Any]:
        """Return `hit` with the process id of its instance, where the server knows it."""
        instance = str(hit["instance"])
        if instance not in self._pids:
            for service in self._client.get("/v1/services")["services"]:
                for one in service["instances"]:
                    self._pids[one["info"]["id"]] = one["info"]["pid"]
        pid = self._pids.setdefault(instance, 0)
        return {**hit, "pid": pid} if pid else hit
