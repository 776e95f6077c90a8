"""The addresses that ask a running instance what it is: its packages, its modules, its source.

Each waits for the instance's answer, for `control.inventory.ANSWER_S` at the longest.
"""

from msgspec import Struct

from leadline.control.inventory import inventory, modules, source, take_answer
from leadline.server.bodies import SCHEMA_VERSION
from leadline.server.route import Call, Route, Who, route
from leadline.wire.hit import InstanceInfo
from leadline.wire.inventory import Answer, Inventory, Modules, SourceText
from leadline.wire.messages import ANSWER_PATH, MAX_REPORT_BYTES

_INSTANCE = "/v1/instances/{instance}"


class SourceQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Of which file: its path, or the end of it."""

    file: str


class InventoryAnswer(Struct, frozen=True, kw_only=True):
    """What runs in an instance."""

    schema_version: int = SCHEMA_VERSION
    instance: InstanceInfo
    inventory: Inventory


class ModulesAnswer(Struct, frozen=True, kw_only=True):
    """The modules that an instance has loaded; `omitted` counts those beyond the limit."""

    schema_version: int = SCHEMA_VERSION
    instance: InstanceInfo
    modules: Modules


class SourceAnswer(Struct, frozen=True, kw_only=True):
    """The source of one file as an instance has it."""

    schema_version: int = SCHEMA_VERSION
    instance: InstanceInfo
    source: SourceText


@route("POST", ANSWER_PATH, who=Who.AGENT, body=Answer, status=204, max_bytes=MAX_REPORT_BYTES)
def answer(call: Call) -> None:
    """Take what an instance was asked for."""
    take_answer(call.context, call.service, call.body)


@route("GET", f"{_INSTANCE}/inventory", who=Who.USER, returns=InventoryAnswer)
def instance_inventory(call: Call) -> InventoryAnswer:
    """Ask an instance for its environment and the packages that it has loaded."""
    asked = inventory(call.context, call.path["instance"])
    return InventoryAnswer(instance=asked.instance, inventory=asked.answer)


@route("GET", f"{_INSTANCE}/modules", who=Who.USER, returns=ModulesAnswer)
def instance_modules(call: Call) -> ModulesAnswer:
    """Ask an instance for the modules that it has loaded."""
    asked = modules(call.context, call.path["instance"])
    return ModulesAnswer(instance=asked.instance, modules=asked.answer)


@route("GET", f"{_INSTANCE}/source", who=Who.USER, query=SourceQuery, returns=SourceAnswer)
def instance_source(call: Call) -> SourceAnswer:
    """Ask an instance for the source of a file that it has loaded."""
    asked = source(call.context, call.path["instance"], call.query.file, call.who)
    return SourceAnswer(instance=asked.instance, source=asked.answer)


INSTANCE_ROUTES: tuple[Route, ...] = (
    answer,
    instance_inventory,
    instance_modules,
    instance_source,
)
