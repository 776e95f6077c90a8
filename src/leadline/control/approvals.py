"""Orders for candidates that wait for a person: who may not run code asks, who may decides.

They are kept in memory, bounded, and for an hour: a candidate is tried on calls that come now.
Each is bound to its order as it was asked for, and to the digest of its candidate.
"""

import difflib
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING

from leadline.trial.candidate import Candidate
from leadline.wire import sample
from leadline.wire.errors import LeadlineError, RefusedError, UsageError
from leadline.wire.struct import dataclass, field, replace
from leadline.wire.twin import TRIES, TwinUse, stated

if TYPE_CHECKING:
    from leadline.control.context import Context
    from leadline.control.twins import TwinOrder

WAIT_S = 3_600.0
"""How long an order waits for a person. A signed one is over with its signature."""
MAX_WAITING = 100
"""At once: whoever asks for more does not wait for people."""
MAX_KEPT = 400
"""Also of those that were decided, so that whoever asked hears of it."""
MAX_DIFF_CHARS = 400_000
"""Of a diff that is shown; more than a person reads."""


class Decision(StrEnum):
    """What became of an order that waited."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """An order that waits for a person, or waited. `address` is the page where one decides,
    `probe` the order as it was placed. `digest` is the candidate's; `who` asked for it, and
    `by` has decided. `diff` shows what it changes, and `cut` says that there is more of it.
    `calls` are the captured calls that it is to be tried on, 0 where it is tried on live ones.
    """

    id: str
    decision: Decision
    address: str
    service: str
    target: str
    title: str
    digest: str
    who: str
    asked_at: float
    expires_at: float
    by: str = ""
    decided_at: float | None = None
    probe: str = ""
    condition: str | None = None
    fails: str = ""
    expect: str = ""
    hits: int = 0
    life_s: float = 0.0
    signed: bool = False
    files: list[str] = field(default_factory=list)
    diff: str = ""
    cut: bool = False
    calls: int = 0


class NoSuchApprovalError(LeadlineError):
    """Nothing of that name waits for a person, or not any more."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "no-such-approval",
            f"No order {name[:100]!a} waits for an approval, or waited lately.",
        )


@dataclass(slots=True)
class _Waiting:
    view: ApprovalView
    order: "TwinOrder"


class Approvals:
    """All of a server. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, _Waiting] = {}

    def add(self, view: ApprovalView, order: "TwinOrder") -> None:
        """Take one more. Raises slug `too-many-approvals`."""
        with self._lock:
            self._expire(view.asked_at)
            waiting = [one for one in self._known.values() if _waits(one.view)]
            if len(waiting) >= MAX_WAITING:
                raise RefusedError(
                    "too-many-approvals",
                    f"{MAX_WAITING} orders wait for a person already.",
                    "Have those decided first.",
                )
            for name in list(self._known)[: max(0, len(self._known) + 1 - MAX_KEPT)]:
                del self._known[name]
            self._known[view.id] = _Waiting(view, order)

    def show(self, name: str, now: float) -> ApprovalView:
        """Return how one stands. Raises slug `no-such-approval`."""
        with self._lock:
            self._expire(now)
            if name not in self._known:
                raise NoSuchApprovalError(name)
            return self._known[name].view

    def all(self, now: float) -> list[ApprovalView]:
        """Return all that are known, oldest first."""
        with self._lock:
            self._expire(now)
            return [one.view for one in self._known.values()]

    def decide(self, name: str, digest: str, view: ApprovalView) -> "TwinOrder":
        """Put `view` in the place of one that waits, and return its order, once. Raises slug
        `already-decided`, and `wrong-candidate` where another digest was looked at."""
        with self._lock:
            found = self._known[name]
            if not _waits(found.view):
                raise RefusedError(
                    "already-decided",
                    f"This order was decided before: it is {found.view.decision}.",
                )
            if digest != found.view.digest:
                raise RefusedError(
                    "wrong-candidate",
                    "The digest is not that of the candidate which waits under this name.",
                    "Look at its page again.",
                )
            found.view = view
            return found.order

    def of(self, who: str, now: float) -> list[ApprovalView]:
        """Return those that somebody has asked for and that still wait."""
        return [one for one in self.all(now) if one.who == who and _waits(one)]

    def settle(self, view: ApprovalView) -> None:
        """Say what became of one that was decided."""
        with self._lock:
            if view.id in self._known:
                self._known[view.id].view = view

    def _expire(self, now: float) -> None:
        for one in self._known.values():
            if _waits(one.view) and now >= one.view.expires_at:
                one.view = replace(one.view, decision=Decision.EXPIRED)


def ask_for(
    context: "Context", order: "TwinOrder", candidate: Candidate, *, who: str, service: str
) -> ApprovalView:
    """Have an order wait for a person; it was checked as one that is placed."""
    if order.use not in TRIES:
        raise UsageError("bad-twin", "Only a candidate waits for an approval.")
    now, name = context.clock(), os.urandom(8).hex()
    fails, expect = stated(order.code)
    diff = "".join(_diff(candidate))
    until = min(now + WAIT_S, order.signed_until) if order.signature else now + WAIT_S
    view = ApprovalView(
        id=name,
        decision=Decision.WAITING,
        address=f"/approvals/{name}",
        service=service,
        target=order.target,
        title=candidate.title,
        digest=candidate.digest,
        who=who,
        asked_at=now,
        expires_at=until,
        condition=order.condition,
        fails=fails,
        expect=expect,
        hits=1 if order.use is TwinUse.SAMPLE else order.hits or 0,
        life_s=order.life_s or 0.0,
        signed=bool(order.signature),
        files=[change.file for change in candidate.changes],
        diff=diff[:MAX_DIFF_CHARS],
        cut=len(diff) > MAX_DIFF_CHARS,
        calls=len(sample.names(order.code)[0]) if order.use is TwinUse.SAMPLE else 0,
    )
    context.approvals.add(view, order)
    context.note(who, "approval-asked", service, _noted(view))
    return view


def approve(context: "Context", name: str, digest: str, *, who: str) -> ApprovalView:
    """Place an order that waits, in the name of who approves it; `digest` is that of the
    candidate that was looked at."""
    from leadline.control.twins import order_twin  # noqa: PLC0415 - which knows of approvals

    view = context.approvals.show(name, context.clock())
    decided = replace(view, decision=Decision.APPROVED, by=who, decided_at=context.clock())
    order = context.approvals.decide(name, digest, decided)
    try:
        placed = order_twin(context, order, who=who, service=view.service)
    except LeadlineError:
        context.approvals.settle(view)  # it waits on: nothing was placed
        raise
    decided = replace(decided, probe=placed.id)
    context.approvals.settle(decided)
    context.note(who, "approved", view.service, {**_noted(decided), "probe": placed.id})
    return decided


def refuse(context: "Context", name: str, digest: str, *, who: str) -> ApprovalView:
    """Say no to an order that waits."""
    view = context.approvals.show(name, context.clock())
    decided = replace(view, decision=Decision.REFUSED, by=who, decided_at=context.clock())
    context.approvals.decide(name, digest, decided)
    context.note(who, "approval-refused", view.service, _noted(decided))
    return decided


def withdraw(context: "Context", asker: str, *, who: str) -> None:
    """Refuse all that somebody has asked for: `who` has taken their key away."""
    for view in context.approvals.of(asker, context.clock()):
        with suppress(RefusedError):  # decided at this moment
            refuse(context, view.id, view.digest, who=who)


def _waits(view: ApprovalView) -> bool:
    return view.decision is Decision.WAITING


def _noted(view: ApprovalView) -> dict[str, object]:
    return {
        "approval": view.id,
        "title": view.title,
        "digest": view.digest,
        "target": view.target,
        "asked_by": view.who,
    }


def _diff(candidate: Candidate) -> Iterator[str]:
    for change in candidate.changes:
        before, after = change.old or "", change.new or ""
        for line in difflib.unified_diff(
            before.splitlines(keepends=True),
            after.splitlines(keepends=True),
            change.file if change.old is not None else "/dev/null",
            change.file if change.new is not None else "/dev/null",
        ):
            yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
