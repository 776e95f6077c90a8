"""Verdicts: what was said of candidates, newest first."""

from urllib.parse import urlencode

from leadline.control.verdicts import VerdictFilter, VerdictHead, VerdictsPage
from leadline.verify.verdict import EXIT, Verdict
from leadline.web.frame import Frame
from leadline.web.rendering import render
from leadline.wire.struct import asdict, dataclass

FIRST_VERDICTS = 100
"""On one page of the list."""
TONES = {0: "well", 1: "bad", 2: "open", 3: "unknown"}
"""How an exit status looks; the word beside it says the same."""


@dataclass(frozen=True, slots=True)
class Row:
    """One verdict in the list."""

    head: VerdictHead
    tone: str
    said: str


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the view shows: newest first. `before` is the number that was asked for, 0: none."""

    rows: list[Row]
    more: bool
    matching: VerdictFilter
    before: int

    @property
    def words(self) -> list[str]:
        """What can be chosen."""
        return sorted(Verdict)

    @property
    def any(self) -> bool:
        """Whether anything is chosen."""
        return any(asdict(self.matching).values())

    @property
    def query(self) -> str:
        """What is chosen as the end of an address."""
        return self._address(self.before)

    @property
    def older(self) -> str:
        """Where the verdicts before these are."""
        return "/verdicts" + self._address(self.rows[-1].head.id)

    @property
    def newest(self) -> str:
        """Where the newest ones are."""
        return "/verdicts" + self._address(0)

    def _address(self, before: int) -> str:
        named = asdict(self.matching) | {"before": before}
        said = urlencode({name: value for name, value in named.items() if value})
        return f"?{said}" if said else ""


def tone(exit_status: int) -> str:
    """Return how a verdict looks."""
    return TONES.get(exit_status, "unknown")


def said(verdict: str, sentence: str) -> str:
    """Return the sentence without the verdict before it, which stands there by itself."""
    return sentence.removeprefix(verdict).removeprefix(":").strip()


def verdicts(page: VerdictsPage, matching: VerdictFilter, before: int) -> Verdicts:
    """Make the view model."""
    rows = [
        Row(head, tone(EXIT[Verdict(head.verdict)]), said(head.verdict, head.sentence))
        for head in page.verdicts
    ]
    return Verdicts(rows, page.more, matching, before)


def page(frame: Frame, view: Verdicts) -> str:
    """Return the whole page."""
    return render("verdicts.html", frame=frame, view=view)


def part(view: Verdicts) -> str:
    """Return what of it changes while one looks."""
    return render("verdicts_part.html", view=view)
