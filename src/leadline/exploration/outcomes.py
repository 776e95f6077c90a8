"""What became of each test of a suite, as pytest's report says, and how two runs differ."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

_VARYING = re.compile(r"0x[0-9a-f]+|\d+(\.\d+)?(e-?\d+)?|/tmp/\S*|[0-9a-f]{8,}")
"""Addresses, numbers and temporary folders, which differ in every run."""
_LETTERS = {"failure": "failed", "error": "error", "skipped": "skipped"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One test that ended in another way, or is in one run only (then the other is empty)."""

    test: str
    without: str
    with_probes: str


def read_outcomes(path: Path) -> dict[str, str]:
    """Return the outcome of each test of a report in JUnit's format, with the beginning of its
    message where there is one. Names that occur twice are numbered."""
    found: dict[str, str] = {}
    times: Counter[str] = Counter()
    for case in ElementTree.parse(path).getroot().iter("testcase"):  # noqa: S314 - pytest's own
        name = f"{case.get('classname')}::{case.get('name')}"
        times[name] += 1
        if times[name] > 1:
            name = f"{name} ({times[name]})"
        found[name] = _outcome(case)
    return found


def differences(without: Mapping[str, str], with_probes: Mapping[str, str]) -> list[Difference]:
    """Return the tests whose outcome is not the same in both runs."""
    names = {**without, **with_probes}
    return [
        Difference(name, without.get(name, ""), with_probes.get(name, ""))
        for name in names
        if without.get(name) != with_probes.get(name)
    ]


def _outcome(case: ElementTree.Element) -> str:
    said = []
    for child in case:
        if child.tag in _LETTERS:
            message = _VARYING.sub("#", child.get("message") or "").strip()
            said.append(f"{_LETTERS[child.tag]}: {message.splitlines()[0] if message else ''}")
    return "; ".join(said) or "passed"
