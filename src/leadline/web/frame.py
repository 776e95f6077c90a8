"""What every page has around it: who is signed in, where one can go, what is switched off."""

from collections.abc import Sequence

from leadline.control.switches import Switch
from leadline.wire.struct import dataclass, field


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the navigation. `keys` are pressed one after the other."""

    address: str
    name: str
    keys: str


NAVIGATION = (
    Place("/", "Services", "g s"),
    Place("/source", "Source", "g c"),
    Place("/hits", "Hits", "g h"),
    Place("/probes", "Probes", "g p"),
    Place("/verdicts", "Verdicts", "g v"),
    Place("/audit", "Audit", "g a"),
)


@dataclass(frozen=True, slots=True)
class Frame:
    """The page around a view. `here` is the address of the entry of `NAVIGATION` it belongs to.

    `write_token` goes along with what a page changes; it is empty where nobody is signed in.
    """

    here: str = ""
    who: str = ""
    write_token: str = field(default="", repr=False)
    off: Sequence[Switch] = ()
    version: str = ""
