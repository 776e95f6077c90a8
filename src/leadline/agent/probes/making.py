"""From what was asked for to what is armed; the nursery is made when a first twin is wanted.

What twins and captures need is loaded then and not before: most processes never make one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from leadline.agent import loading
from leadline.agent.core import Record
from leadline.agent.probes.compiled import Compiled
from leadline.agent.probes.kinds import compile_probe
from leadline.wire.errors import UnavailableError
from leadline.wire.probe import CaptureProbe, Probe, TwinProbe
from leadline.wire.struct import dataclass
from leadline.wire.twin import TwinPolicy

if TYPE_CHECKING:
    from leadline.agent.twin.nursery import Nursery
    from leadline.agent.twin.shells import Shells


@dataclass(frozen=True, slots=True)
class Home:
    """What a twin's answer needs to leave by: who this process is, what takes the answer to
    the server, and what takes the replies of a shell there. `calls` asks the server for
    captured calls, and waits for them; it raises `OSError`."""

    service: str
    instance: str
    deliver: Callable[[Record], None]
    shells: Callable[[], Shells]
    calls: Callable[[bytes], bytes] = lambda _: b""


class Making:
    """One per process. Called under the registry's lock."""

    def __init__(self) -> None:
        self._home: Home | None = None
        self._nursery: Nursery | None = None
        self._wanted: set[str] = set()

    def move(self, home: Home) -> None:
        """Become the instance that `home` is of."""
        self._home = home
        if self._nursery is not None:
            self._nursery.move(home)

    def compiled(self, probe: Probe) -> Compiled:
        """Raises `LeadlineError` for what cannot be armed here."""
        if isinstance(probe, CaptureProbe):
            loading.load_capture()
            from leadline.agent.probes.capturing import compile_capture

            return compile_capture(probe)
        if not isinstance(probe, TwinProbe):
            return compile_probe(probe)
        if self._home is None:
            raise UnavailableError("twins-unavailable", "Twins are made for a server only.")
        if self._nursery is None:
            import os

            loading.load_twin_terms()
            from leadline.agent.twin.terms import check_terms, terms

            allowed = terms(os.environ)
            if allowed.policy is not TwinPolicy.OFF:  # else nothing of twins is loaded
                loading.load_twin()
            check_terms(allowed)
            from leadline.agent.twin.nursery import Nursery

            self._nursery = Nursery(allowed, self._home)
        from leadline.agent.probes.twin import compile_twin

        made = compile_twin(probe, self._nursery, self._home.service, self._home.instance)
        if probe.id not in self._wanted:
            self._wanted.add(probe.id)
            self._nursery.want()
        return made

    def gone(self, probe: Probe) -> None:
        """A probe was taken out."""
        if self._nursery is not None and probe.id in self._wanted:
            self._wanted.discard(probe.id)
            self._nursery.unwant(probe.id)

    def awaits(self) -> bool:
        """Whether live calls are under way whose end somebody waits for."""
        return self._nursery is not None and self._nursery.awaits_outcomes

    def tell(self, message: dict[str, Any]) -> None:
        """Hand a request to the shell that it is for."""
        if self._nursery is not None:
            self._nursery.tell(message)

    def dismiss(self) -> None:
        """End all twins that live: the process ends, or was switched off."""
        if self._nursery is not None:
            self._nursery.dismiss()

    def disconnected(self) -> None:
        """The server is away: whoever sat at a shell has lost it."""
        if self._nursery is not None:
            self._nursery.desert()

    def forked(self) -> None:
        """In a forked child: the twins are the parent's."""
        if self._nursery is not None:
            self._nursery.forked()
