"""What the agent needs once there is something to look at: made when the first probe comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from leadline.agent.capture.outlet import be_strict
from leadline.agent.core import Core, Monitor, choose
from leadline.agent.link.answerer import Answerer
from leadline.agent.link.http import Address, Connection
from leadline.agent.link.native import Bell
from leadline.agent.link.sender import Sender
from leadline.agent.probes.making import Home, Making
from leadline.agent.probes.registry import Registry
from leadline.agent.settings import Settings
from leadline.wire.hit import InstanceInfo
from leadline.wire.messages import SAMPLE_PATH
from leadline.wire.redaction import forget_names, redact_also
from leadline.wire.struct import prepare

if TYPE_CHECKING:
    from leadline.agent.twin.shells import Shells


class Works:
    """The core, the probes on it, and who sends what they see. One per process."""

    def __init__(
        self, settings: Settings, tool: int | None, depart: Callable[[], None]
    ) -> None:
        """`tool` is the seat that was taken; `depart` is called before the process ends in a
        way that runs no exit handlers."""
        prepare()
        be_strict(settings.strict)
        redact_also(settings.redact)
        self._settings = settings
        self._monitor = Monitor(tool)
        self.core: Core = choose(self._monitor)
        if settings.budget_ns is not None:
            self.core.budget_ns = settings.budget_ns
        self.making = Making()
        self.registry = Registry(self.core, self._monitor, self.making)
        self.registry.departure.before = depart

    def connect(
        self,
        address: Address,
        who: InstanceInfo,
        after_wait: Callable[[], None],
        bells: tuple[Bell, Bell],
    ) -> None:
        """Become the instance `who`, with a link of its own."""
        key = self._settings.key
        self.sender = Sender(address, key, who, self.core, self.registry, after_wait, *bells)
        self.answerer = Answerer(address, key, who)

        def shells() -> Shells:
            from leadline.agent.twin.shells import Shells

            return Shells(address, key, who.id)

        def calls(wanted: bytes) -> bytes:
            connection = Connection(address, key)
            try:
                connection.open(SAMPLE_PATH, wanted)
                return b"".join(connection.pieces())
            finally:
                connection.close()

        self.making.move(Home(who.service, who.id, self.sender.deliver, shells, calls))

    def close(self) -> None:
        """Remove every event, end all twins, forget what was learnt of the application."""
        self.making.dismiss()
        self.core.close()
        self.core.forget()
        forget_names()
