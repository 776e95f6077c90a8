"""How one probe stands in this process."""

from leadline.agent.capture.outlet import reason
from leadline.agent.locate.anchor import Followed
from leadline.agent.locate.files import File
from leadline.agent.probes.compiled import Compiled
from leadline.agent.probes.tally import Tally
from leadline.wire.hit import ProbeState
from leadline.wire.probe import Probe, Status
from leadline.wire.struct import dataclass, field, replace


@dataclass(slots=True, eq=False)
class Standing:
    """One probe here: what was asked for, what became of it, and since when."""

    probe: Probe
    deadline: float
    file: File
    compiled: Compiled | None = None
    tally: Tally | None = None
    armed_at: float = 0.0
    foreseen: Followed | None = None
    """Where its anchored line will be when its file is imported."""
    unconfirmed: bool = False
    """Whether it was armed on an importing thread, without a look at the source."""
    unexplained: bool = False
    """Whether more could be said about what it waits for."""
    counting: bool = False
    """Whether its function's entries are counted, because the line is not reached."""
    state: ProbeState = field(default_factory=lambda: ProbeState("", Status.PENDING))
    acknowledged: ProbeState | None = None

    def now(self) -> ProbeState:
        """Return the state with the counters as they are at this moment."""
        if self.compiled is None:
            return self.state
        passage, following = self.compiled.passage, self.compiled.following
        fates = passage.fates if following is None else following.fates(passage.fates)
        return replace(
            self.state,
            fates={fate: count for fate, count in fates.items() if count},
            unknown=reason(passage.unknown),
            cost_ns=passage.cost_ns,
            entered=passage.entered,
        )
