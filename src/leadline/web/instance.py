"""An instance: who it is, where it runs, and every package that it has loaded."""

from collections import Counter

from leadline.control.views import InstanceView
from leadline.web.frame import Frame
from leadline.web.rendering import render
from leadline.wire.errors import LeadlineError
from leadline.wire.inventory import Inventory
from leadline.wire.struct import dataclass


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the process answered, or why it did not. `places` are the folders that packages
    are in, with how many, the one with most first."""

    inventory: Inventory | None
    places: list[tuple[str, int]]
    refusal: LeadlineError | None = None


def loaded(inventory: Inventory) -> Loaded:
    """Make the view model of an answer."""
    places = Counter(one.location for one in inventory.packages)
    return Loaded(inventory, places.most_common())


def refused(error: LeadlineError) -> Loaded:
    """Make the view model of a question that had no answer."""
    return Loaded(None, [], error)


def page(frame: Frame, instance: InstanceView) -> str:
    """Return the page: what the server knows by itself; what is loaded is asked for then."""
    return render("instance.html", frame=frame, instance=instance)


def part(view: Loaded) -> str:
    """Return what the process answered."""
    return render("instance_part.html", view=view)
