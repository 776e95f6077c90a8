"""Where in the code a probe is armed: its target's code objects, and what serves its kind."""

from collections.abc import Sequence
from types import CodeType, ModuleType

from leadline.agent.core.passage import Role, Site
from leadline.agent.locate.functions import place_function
from leadline.agent.locate.place import Placement, place
from leadline.wire.errors import UsageError
from leadline.wire.probe import CaptureProbe, Moment, Probe, TimerProbe, TwinProbe
from leadline.wire.struct import replace
from leadline.wire.target import FunctionTarget, Target
from leadline.wire.twin import REPEATS

_GIVES_OUT = 0x20 | 0x200  # generators, also asynchronous ones
_SUSPENDS = 0x20 | 0x80 | 0x200  # generators, coroutines, asynchronous generators
"""Whose end is not always heard of: 3.13 is silent when a generator is closed (gh-140373). A
new call may lie where that one lay, so its beginning forgets what was left."""


def placement_of(
    probe: Probe,
    codes: Sequence[CodeType],
    names: frozenset[str],
    modules: Sequence[ModuleType] = (),
) -> Placement:
    """Return the sites of a probe among `codes`, all of one file, or for a function in what
    `modules` hold. Raises `LeadlineError` when there is no such place."""
    if isinstance(probe.target, FunctionTarget):
        return _calls(place_function(codes, probe.target.function, modules), probe)
    found = place(codes, probe.target.line, names)
    if isinstance(probe, TimerProbe) and probe.until is not None:
        return _way(found, codes, probe.until, names)
    return found


def everywhere(probe: Probe) -> Placement:
    """Return the site of a probe on all code."""
    return Placement((Site(None, (), "", 0, "", probe.moment),))


def entries(sites: Sequence[Site]) -> tuple[Site, ...]:
    """Return the sites that count how often the functions of `sites` are entered."""
    codes = {id(site.code): site for site in sites if site.code is not None}
    return tuple(
        replace(site, offsets=(), moment=Moment.ENTRY, role=Role.ENTRY)
        for site in codes.values()
    )


def _calls(found: Placement, probe: Probe) -> Placement:
    """The moments of whole calls, and their beginnings where a duration is wanted."""
    sites: list[Site] = []
    for site in found.sites:
        if probe.moment is Moment.EXIT:
            sites.append(replace(site, offsets=(), moment=Moment.ENTRY, role=Role.BEGIN))
        sites.append(replace(site, offsets=(), moment=probe.moment))
        captured = isinstance(probe, CaptureProbe)
        if captured:
            sites.append(replace(site, offsets=(), moment=Moment.ENTRY, role=Role.RENEW))
            if site.code is not None and site.code.co_flags & _GIVES_OUT:
                sites.append(replace(site, offsets=(), moment=Moment.EXIT, role=Role.TURN))
        if captured or (isinstance(probe, TwinProbe) and probe.use in REPEATS):
            sites.append(replace(site, offsets=(), moment=Moment.EXIT, role=Role.WITNESS))
    return Placement(tuple(sites), found.note)


def _way(
    start: Placement, codes: Sequence[CodeType], until: Target, names: frozenset[str]
) -> Placement:
    """From one line to another in the same call; what begins and never arrives is forgotten."""
    end = place(codes, until.line, names)
    begun = {id(site.code) for site in start.sites}
    ends = [site for site in end.sites if id(site.code) in begun]
    if not ends:
        raise UsageError(
            "not-one-function",
            f"Line {start.sites[0].line} is in {start.sites[0].function} and line "
            f"{until.line} in {end.sites[0].function}; a timer goes from line to line of one "
            "call.",
            "Choose two lines of one function, or time a whole function: MODULE:FUNCTION.",
        )
    return Placement(
        (
            *(replace(site, role=Role.BEGIN) for site in start.sites),
            *ends,
            *(
                replace(site, offsets=(), moment=Moment.EXIT, role=Role.FORGET)
                for site in start.sites
            ),
            *(
                replace(site, offsets=(), moment=Moment.ENTRY, role=Role.FORGET)
                for site in start.sites
                if site.code is not None and site.code.co_flags & _SUSPENDS
            ),
        ),
        start.note or end.note,
    )
