"""What the old code may have left in a twin, where no call has left it anew."""

from collections.abc import Sequence

from leadline.verify.comparison import Compared


def left_behind(compared: Sequence[Compared]) -> str:
    """Say what calls have read that is perhaps as the old code left it; nothing where calls
    have come by the part of the change that would leave it otherwise."""
    runs = [
        run
        for one in compared
        if one.case.agreed
        for run in (one.control, one.candidate)
        if run is not None
    ]
    met = {part for run in runs for part in run.met}
    said = {what for run in runs for what, part in run.left.items() if part not in met}
    return f"{min(said)}; no call has reached that, and what lives on was read" if said else ""
