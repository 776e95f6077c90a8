"""Finds the code that a probe means among what is loaded, and arms it there."""

import time
from collections.abc import Sequence
from types import CodeType, ModuleType
from typing import NamedTuple

from leadline.agent.core import Core
from leadline.agent.core.passage import Passage, Role, Site
from leadline.agent.locate.anchor import (
    SourceMismatchError,
    anchor_of,
    digest_of,
    follow,
    foresee,
)
from leadline.agent.locate.functions import plain_name
from leadline.agent.locate.home import code_elsewhere, is_unfinished, modules_for
from leadline.agent.locate.lines import nested
from leadline.agent.locate.modules import code_of_module, code_on_stacks, module_file
from leadline.agent.locate.place import Placement, covers
from leadline.agent.locate.reasons import why_absent, why_no_module, why_not
from leadline.agent.locate.source import line_text
from leadline.agent.probes.compiled import Following
from leadline.agent.probes.sites import entries, everywhere, placement_of
from leadline.agent.probes.standing import Standing
from leadline.wire.errors import InternalError, LeadlineError
from leadline.wire.hit import ProbeState
from leadline.wire.probe import Moment, Probe, Status, TimerProbe
from leadline.wire.struct import replace
from leadline.wire.target import FunctionTarget, Place, Target

QUIET_S = 1.0
"""A line that is not reached for so long: now it is worth knowing whether its function is."""

EXPLAINING_S = 0.2
"""Seconds of each second that may be spent on finding out why probes have to wait."""
AGAIN_S = 2.0
"""Seconds between two looks for code that no import tells of; one of those that wait each."""
WAITING = (Status.PENDING, Status.MISMATCH)
"""Code that comes later can be what these need."""

type Codes = list[CodeType]


_OF_WITNESSES = {Role.WITNESS: Role.HIT, Role.RENEW: Role.FORGET, Role.TURN: Role.TURN}
"""What is armed for the witness, and what for."""


class Studied(NamedTuple):
    """What was found out about a probe whose state was `before`: the state that is `after` it,
    or None when it has to be placed anew."""

    before: ProbeState
    after: ProbeState | None


class Arming:
    """Changes a `Standing` as it finds code for it. Called under the registry's lock, but for
    what only looks: an import that finds the lock taken has to leave its news."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._explaining_s = EXPLAINING_S
        self._explained_at = 0.0
        self._again_at = 0.0
        self._turn = 0

    def look(self, one: Standing) -> None:
        """Find the code of a new probe among what is loaded, or say what it waits for."""
        target = one.probe.target
        if isinstance(target, FunctionTarget) and target.everywhere:
            self._settle(one, everywhere(one.probe))
            return
        modules = modules_for(target, one.file)
        files = sorted({module_file(module) for module in modules})
        if len(files) > 1 and not one.file.path:
            shown = ", ".join(files[:3])
            fail(one, LeadlineError(
                "ambiguous-file",
                f"{len(files)} loaded files end with {one.file.suffix}: {shown}.",
                "Give more of the path.",
            ))  # fmt: skip
            return
        found = self._find(one, modules)
        if found or (modules and isinstance(target, FunctionTarget)):
            self.arm(one, found, modules)
        elif modules:
            reason = f"{files[0]} is loaded, but no function of it was found yet"
            one.state = replace(one.state, reason=reason)
        else:
            self._await(one)

    def search(self, waiting: Sequence[Standing], now: float) -> tuple[Standing, Codes] | None:
        """Look for one of the probes that wait in code that no import has told of.

        Takes its time, so without the lock. `now` is `time.monotonic()`.
        """
        if not waiting or now < self._again_at:
            return None
        self._again_at = now + AGAIN_S
        self._turn += 1
        one = waiting[self._turn % len(waiting)]
        codes = code_elsewhere(one.file)
        return (one, codes) if codes else None

    def study(self, one: Standing, now: float) -> Studied | None:
        """Find out what a state does not say yet: what is waited for, or the source of what is
        armed, and whether it is the code that was meant.

        Takes its time, so without the lock; `adopt` then makes it so. `now` as above.
        """
        before = one.state
        if one.unexplained:
            return self._explained(one, before, now)
        hit = self._armed(one)
        if not hit or (before.source and not one.unconfirmed):
            return None
        if one.unconfirmed and not _confirmed(one, hit):
            return Studied(before, None)
        if before.source:
            return Studied(before, before)
        anchor, why = anchor_of(hit[0], until_of(one.probe))
        asked = one.probe.anchor
        changed = anchor and asked and asked.digest and digest_of(asked) != digest_of(anchor)
        if changed and isinstance(one.probe.target, FunctionTarget):
            why = "the function has changed since the probe was placed"
        source = line_text(before.file, before.line) or "(the source cannot be read)"
        reason = "; ".join(filter(None, (before.reason, why)))
        return Studied(before, replace(before, source=source, anchor=anchor, reason=reason))

    def adopt(self, one: Standing, studied: Studied) -> None:
        """Take over what was found out, unless something has happened meanwhile."""
        if one.state is not studied.before or one.compiled is None:
            return
        one.unconfirmed = one.unexplained = False
        if studied.after is not None:
            one.state = studied.after
            return
        self.disarm(one)
        one.counting = False
        one.probe = replace(one.probe, anchor=one.probe.anchor or one.state.anchor)
        one.state = ProbeState(one.probe.id, Status.PENDING)
        self.look(one)

    def _armed(self, one: Standing) -> list[Site]:
        """Return the sites at the line that the state names."""
        if one.compiled is None or not one.state.line:
            return []
        return [
            site
            for site in one.compiled.passage.sites
            if site.line == one.state.line and site.role in (Role.HIT, Role.BEGIN)
        ]

    def _explained(self, one: Standing, before: ProbeState, now: float) -> Studied | None:
        """Say more about what a probe waits for, if there is time: a thousand may wait."""
        self._explaining_s += min(EXPLAINING_S, (now - self._explained_at) * EXPLAINING_S)
        self._explaining_s = min(EXPLAINING_S, self._explaining_s)
        self._explained_at = now
        if self._explaining_s <= 0:
            return None
        if before.status is not Status.PENDING:
            return Studied(before, before)
        began = time.monotonic()
        target = one.probe.target
        reason = (
            why_no_module(target.module, one.file)
            if isinstance(target, FunctionTarget) and "/" not in target.module
            else why_absent(one.file)
        )
        self._explaining_s -= time.monotonic() - began
        return Studied(before, replace(before, reason=reason))

    def _await(self, one: Standing) -> None:
        """Say what a probe waits for, and find out where its line will be."""
        target, file = one.probe.target, one.file
        if isinstance(target, Target) and one.probe.anchor is not None and file.path:
            one.foreseen = foresee(
                file.path, target.line, one.probe.anchor, until_of(one.probe)
            )
        where = file.path or (
            target.module if isinstance(target, FunctionTarget) else target.file
        )
        one.state = replace(one.state, reason=f"{where} is not imported yet")
        one.unexplained = True

    def _find(self, one: Standing, modules: list[ModuleType]) -> list[CodeType]:
        """Return the loaded code of the probe's file; look again, more thoroughly, when what
        is meant is in none of it."""
        codes: dict[int, CodeType] = {}
        for thorough in (False, True):
            for module in modules:
                found = code_of_module(module, one.file, thorough=thorough)
                codes.update((id(code), code) for code in found)
            if thorough:
                codes.update((id(code), code) for code in code_on_stacks(one.file))
            if any(_concerns(code, one.probe.target) for code in codes.values()):
                break
        return list(codes.values())

    def arm(
        self,
        one: Standing,
        codes: list[CodeType],
        modules: Sequence[ModuleType] = (),
        *,
        quick: bool = False,
    ) -> bool:
        """Arm a probe on `codes`, all of one file, or say why not.

        On an importing thread (`quick`) no file is read and nothing is given up: False is the
        answer then, and it is done again on our own.
        """
        if one.compiled is None:
            return True
        try:
            probe, note = _here(one, codes, quick=quick)
            placement = placement_of(probe, codes, one.compiled.names, modules)
        except LeadlineError as error:
            if not quick and one.state.status in WAITING:
                self._give_up(one, codes, modules, error)
            elif not quick and isinstance(error, SourceMismatchError):
                reason = f"it was loaded once more in another version: {error.message}"
                one.state = replace(one.state, reason=reason)
            return not quick
        one.unconfirmed = one.unconfirmed or quick
        self._settle(
            one, replace(placement, note="; ".join(filter(None, (note, placement.note))))
        )
        return True

    def _give_up(
        self,
        one: Standing,
        codes: list[CodeType],
        modules: Sequence[ModuleType],
        error: LeadlineError,
    ) -> None:
        target = one.probe.target
        if error.slug == "no-such-function" and any(map(is_unfinished, modules)):
            one.state = replace(one.state, reason=f"{error.message} It is not complete yet.")
            return
        if error.slug == "line-not-executable" and isinstance(target, Target):
            error = why_not(codes, target.line)
        fail(one, error)

    def _settle(self, one: Standing, placement: Placement) -> None:
        """Arm what is new of a placement; say where if it is the first."""
        if one.compiled is None:
            return
        passage = one.compiled.passage
        known = {id(armed.code) for armed in passage.sites}
        new = [site for site in placement.sites if id(site.code) not in known]
        if (witness := one.compiled.witness) is not None:  # first: it forgets, then is told
            self._core.arm(
                witness,
                [replace(site, role=_OF_WITNESSES[site.role]) for site in new
                 if site.role in _OF_WITNESSES],
            )  # fmt: skip
        self._core.arm(passage, [site for site in new if site.role not in _OF_WITNESSES])
        site = placement.sites[0]
        if one.state.status not in WAITING:  # one more copy of what is armed already
            if site.line != one.state.line:
                one.state = replace(one.state, line=site.line, source="", reason=placement.note)
            return
        if one.tally is not None and not one.armed_at:
            one.tally.begin()
        one.armed_at = time.monotonic()
        one.state = replace(
            one.state,
            status=Status.ARMED,
            reason=placement.note,
            file=site.file,
            line=site.line,
            function=site.function,
        )

    def disarm(self, one: Standing) -> None:
        """Remove every trace of a probe from the code."""
        for passage in one.compiled.passages if one.compiled is not None else ():
            self._core.disarm(passage)

    def tend(self, one: Standing, *, awaited: bool) -> None:
        """Keep a probe's witness on, which has no limits of its own, until the probe has made
        its twins and no live call of one is `awaited` any more."""
        witness = one.compiled.witness if one.compiled is not None else None
        if one.compiled is None or witness is None or not witness.sites:
            return
        if one.compiled.following is not None:
            self._follow(one, one.compiled.passage, witness, one.compiled.following)
            self._listen(one, one.compiled.ear, one.compiled.following)
            return
        if one.state.status is Status.EXPIRED and not awaited:
            self._core.disarm(witness)
        elif witness.off:
            self._core.resume(witness)

    def _follow(
        self, one: Standing, passage: Passage, witness: Passage, following: Following
    ) -> None:
        """Keep the witness on while calls may begin, or have and have not ended. It is on
        again before the probe is (`budget`), so that no call begins without it."""
        for record in following.left():
            self._core.put(record)
        if witness.off:
            following.forget()
        if one.state.status is Status.EXPIRED:
            if not following.awaits:
                self._core.disarm(witness)
        elif passage.off and not following.awaits:
            self._core.suspend(witness)  # if it is off by itself, exceptions are heard still

    def _listen(self, one: Standing, ear: Passage | None, following: Following) -> None:
        """Listen where there is something to be heard, as long as calls may begin or have not
        ended."""
        if ear is None:
            return
        if one.state.status is Status.EXPIRED:
            if not following.awaits and ear.sites:
                self._core.disarm(ear)
        elif sites := following.unheard():
            self._core.arm(ear, sites)
        elif one.compiled is not None and one.compiled.passage.off and not following.awaits:
            self._core.suspend(ear)

    def count_entries(self, one: Standing) -> None:
        """Begin to count how often a function is entered whose line was not reached yet."""
        if one.counting or one.compiled is None or one.state.status is not Status.ARMED:
            return
        passage = one.compiled.passage
        if one.probe.moment is not Moment.LINE or passage.passed:
            return
        if time.monotonic() - one.armed_at >= QUIET_S:
            one.counting = True
            self._core.arm(passage, entries(passage.sites))

    def news(self, news: CodeType | ModuleType, one: Standing, *, quick: bool) -> bool:
        """Arm a probe on code that was just loaded, if it is there; as `arm`."""
        if isinstance(news, CodeType):
            modules = [] if quick else modules_for(one.probe.target, one.file)
            return self.arm(one, list(nested(news)), modules, quick=quick)
        codes = code_of_module(news, one.file)
        if not codes and isinstance(one.probe.target, Target):
            return True
        return self.arm(one, codes, [news], quick=quick)


def fail(one: Standing, error: LeadlineError) -> None:
    """Say that a probe cannot be armed here, and why."""
    reason = " ".join(filter(None, (error.message, error.hint, f"[{error.slug}]")))
    if isinstance(error, SourceMismatchError):
        one.state = replace(
            one.state,
            status=Status.MISMATCH,
            reason=reason,
            expected=error.expected,
            source=error.found,
        )
        return
    one.state = replace(one.state, status=Status.ERROR, reason=reason)


def _confirmed(one: Standing, sites: Sequence[Site]) -> bool:
    """Whether code that was armed unseen is what the anchor ties the probe to."""
    anchor = one.probe.anchor or one.state.anchor
    if anchor is None or not isinstance(one.probe.target, Target):
        return True
    for site in sites:
        try:
            followed = follow([site.code] if site.code else [], site.line, anchor)
        except LeadlineError:
            return False
        if followed.line != site.line:
            return False
    return True


def until_of(probe: Probe) -> int:
    """Return the second line of a timer between lines, or 0."""
    return probe.until.line if isinstance(probe, TimerProbe) and probe.until else 0


def _here(one: Standing, codes: list[CodeType], *, quick: bool) -> tuple[Probe, str]:
    """Return the probe with its lines as they are in `codes`. Raises `LeadlineError`."""
    probe, target = one.probe, one.probe.target
    if not isinstance(target, Target) or (quick and probe.anchor is None):
        return probe, ""
    anchor = probe.anchor or one.state.anchor  # that of the version which was here before
    if anchor is None:
        return probe, ""
    followed = one.foreseen if quick else follow(codes, target.line, anchor, until_of(probe))
    if followed is None:
        raise InternalError("The source is not read here.")
    moved = replace(probe, target=replace(target, line=followed.line))
    if isinstance(moved, TimerProbe) and moved.until is not None and followed.until:
        moved = replace(moved, until=replace(moved.until, line=followed.until))
    return moved, followed.note


def _concerns(code: CodeType, target: Place) -> bool:
    if isinstance(target, FunctionTarget):
        return plain_name(code.co_qualname) == plain_name(target.function)
    return covers(code, target.line)
