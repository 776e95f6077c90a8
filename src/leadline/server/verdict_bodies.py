"""A report as it is posted: see `verify.report.Report`. Every text and list has its most, so
that nothing is kept that no verification would send."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from leadline.control.verdicts import VerdictHead, VerdictView
from leadline.server.bodies import SCHEMA_VERSION
from leadline.verify.report import Sort
from leadline.verify.verdict import Verdict

MAX_VERDICT_BYTES = 2_000_000
"""Of a whole report; one of 80 calls with all that is shown of them has a tenth."""
type _Line = Annotated[str, Meta(max_length=4_000)]
"""A name, a path, a sentence: many of them quote captured text."""
type _Text = Annotated[str, Meta(max_length=20_000)]
type _Diff = Annotated[str, Meta(max_length=100_000)]
type _Number = Annotated[int, Meta(ge=0, le=2**53)]
type _Seconds = Annotated[float, Meta(ge=0, le=1e9)]
type _LineNumber = Annotated[str, Meta(pattern="^[0-9]{1,9}$")]
"""JSON has no numbers for names."""
type _Texts = Annotated[list[_Text], Meta(max_length=1_000)]
type _Lines = Annotated[list[_Line], Meta(max_length=1_000)]
type _Counts = Annotated[dict[_Text, _Number], Meta(max_length=1_000)]


class DifferenceBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the candidate (`rerun`) differs from the control (`live`)."""

    where: _Text
    live: _Text
    rerun: _Text


class ShownBody(Struct, frozen=True, forbid_unknown_fields=True):
    """One call side by side: see `verify.report.Shown`."""

    number: _Number
    sort: Sort
    arguments: Annotated[dict[_Line, _Text], Meta(max_length=1_000)]
    live: _Text
    control: _Text = ""
    candidate: _Text = ""
    met: bool | None = None
    differences: Annotated[list[DifferenceBody], Meta(max_length=1_000)] = []
    masked: _Texts = []
    swallowed: _Text = ""
    reason: _Text = ""


class CoverageBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How many calls reached each changed line of a file."""

    file: _Line
    new: bool
    lines: Annotated[dict[_LineNumber, _Number], Meta(max_length=50_000)]


class PatchBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The candidate; `diff` is empty where it is too long."""

    title: _Line
    digest: Annotated[str, Meta(pattern="^[0-9a-f]{8,128}$")]
    files: _Lines
    notes: _Lines = []
    diff: _Diff = ""


class SharesBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How many calls stand behind it: see `verify.verdict.Shares`."""

    calls: _Number
    agreed: _Number
    reached: _Number
    failing: _Number
    met: _Number
    others: _Number
    same: _Number
    differing: _Number
    unknown: _Number
    failing_lost: _Number
    bound: Annotated[float, Meta(ge=0, le=1)]
    untouched: _Number = 0


class VerdictBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What `leadline verify --json` prints."""

    verdict: Verdict
    sentence: _Text
    exit_status: Annotated[int, Meta(ge=0, le=3)]
    reason: _Text
    service: _Line
    entry: _Line
    place: _Line
    fails: _Text
    expect: _Text
    candidate: PatchBody
    shares: SharesBody
    cases: Annotated[list[ShownBody], Meta(max_length=1_000)]
    coverage: Annotated[list[CoverageBody], Meta(max_length=1_000)]
    paths: _Number
    noise: _Counts
    unknown: _Counts
    took_s: _Seconds
    runs: _Number
    notes: _Texts = []
    schema_version: Annotated[int, Meta(ge=1, le=1)] = 1

    def plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        return dict(msgspec.to_builtins(self))


class VerdictsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which verdicts: see `control.list_verdicts`."""

    service: str = ""
    verdict: str = ""
    before: int | None = None
    limit: int = 100


class VerdictKeptAnswer(Struct, frozen=True, kw_only=True):
    """A verdict that was kept; `path` is where its page is."""

    schema_version: int = SCHEMA_VERSION
    kept: VerdictHead
    path: str


class VerdictsAnswer(Struct, frozen=True, kw_only=True):
    """Verdicts, the newest first; `more` when there are older ones."""

    schema_version: int = SCHEMA_VERSION
    verdicts: list[VerdictHead]
    more: bool


class VerdictAnswer(Struct, frozen=True, kw_only=True):
    """All of one verdict."""

    schema_version: int = SCHEMA_VERSION
    verdict: VerdictView
