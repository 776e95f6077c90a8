"""The twin probe: at the hit a sealed copy of the process is made, and asked."""

from leadline.agent.probes.compiled import Compiled
from leadline.wire.errors import UnavailableError
from leadline.wire.probe import TwinProbe


def compile_twin(probe: TwinProbe) -> Compiled:
    """Raises `LeadlineError` where this process makes no twins, or not this one."""
    raise UnavailableError("twin-not-here", f"No twin can be made for {probe.target} yet.")
