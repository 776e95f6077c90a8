"""Finds the code that a probe means among what is loaded, and arms it there."""

import time
from dataclasses import replace
from types import CodeType, ModuleType

from leadline.agent.core import Core
from leadline.agent.locate.files import nearest
from leadline.agent.locate.lines import nested
from leadline.agent.locate.modules import code_of_module, code_on_stacks, loaded_files
from leadline.agent.locate.place import Placement, covers
from leadline.agent.probes.sites import entries, everywhere, placement_of
from leadline.agent.probes.standing import Standing
from leadline.wire.errors import LeadlineError
from leadline.wire.probe import Moment, Status
from leadline.wire.target import FunctionTarget, Place

QUIET_S = 1.0
"""A line that is not reached for so long: now it is worth knowing whether its function is."""


class Arming:
    """Changes a `Standing` as it finds code for it; called under the registry's lock."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def look(self, one: Standing) -> None:
        """Find the code of a new probe among what is loaded, or say what it waits for."""
        if isinstance(one.probe.target, FunctionTarget) and one.probe.target.everywhere:
            self._settle(one, everywhere(one.probe))
            return
        files = loaded_files()
        fitting = [path for path in files if one.file.matches(path)]
        if len(fitting) > 1 and not one.file.path:
            shown = ", ".join(sorted(fitting)[:3])
            fail(one, LeadlineError(
                "ambiguous-file",
                f"{len(fitting)} loaded files end with {one.file.suffix}: {shown}.",
                "Give more of the path.",
            ))  # fmt: skip
            return
        found = self._find(one, [files[path] for path in fitting])
        if found:
            self.arm(one, found)
        elif fitting:
            reason = f"{fitting[0]} is loaded, but no function of it was found yet"
            one.state = replace(one.state, reason=reason)
        elif one.file.path:
            one.state = replace(one.state, reason=f"{one.file.path} is not imported yet")
        else:
            close = nearest(one.file.suffix, files)
            hint = f"; nearest: {', '.join(close)}" if close else ""
            reason = f"no loaded file ends with {one.file.suffix}{hint}"
            one.state = replace(one.state, reason=reason)

    def _find(self, one: Standing, modules: list[ModuleType]) -> list[CodeType]:
        """Return the loaded code of the probe's file; look again, more thoroughly, when the
        line is in none of it."""
        codes: dict[int, CodeType] = {}
        for thorough in (False, True):
            for module in modules:
                found = code_of_module(module, one.file, thorough=thorough)
                codes.update((id(code), code) for code in found)
            if thorough:
                codes.update((id(code), code) for code in code_on_stacks(one.file))
            target = one.probe.target
            if isinstance(target, FunctionTarget):
                if any(
                    code.co_name == target.function.rpartition(".")[2]
                    for code in codes.values()
                ):
                    break
            elif any(covers(code, target.line) for code in codes.values()):
                break
        return list(codes.values())

    def arm(self, one: Standing, codes: list[CodeType]) -> None:
        if one.compiled is None:
            return
        try:
            placement = placement_of(one.probe, codes, one.compiled.names)
        except LeadlineError as error:
            if one.state.status is Status.PENDING:
                fail(one, error)
            return
        self._settle(one, placement)

    def _settle(self, one: Standing, placement: Placement) -> None:
        """Arm what is new of a placement; say where if it is the first."""
        if one.compiled is None:
            return
        passage = one.compiled.passage
        known = {id(armed.code) for armed in passage.sites}
        self._core.arm(passage, [new for new in placement.sites if id(new.code) not in known])
        if one.state.status is not Status.PENDING:
            return  # one more copy of what is armed already
        site = placement.sites[0]
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

    def news(self, news: CodeType | ModuleType, one: Standing) -> None:
        """Arm a probe on code that was just loaded, if it is there."""
        if codes := _codes(news, one):
            self.arm(one, codes)


def fail(one: Standing, error: LeadlineError) -> None:
    """Say that a probe cannot be armed here, and why."""
    reason = " ".join(filter(None, (error.message, error.hint, f"[{error.slug}]")))
    one.state = replace(one.state, status=Status.ERROR, reason=reason)


def _concerns(code: CodeType, target: Place) -> bool:
    if isinstance(target, FunctionTarget):
        return code.co_name == target.function.rpartition(".")[2]
    return covers(code, target.line)


def _codes(news: CodeType | ModuleType, one: Standing) -> list[CodeType]:
    if isinstance(news, CodeType):
        return list(nested(news))
    return code_of_module(news, one.file)
