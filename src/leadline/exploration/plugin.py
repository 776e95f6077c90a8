"""The pytest plugin: begins before the first conftest is imported, ends after the last test."""

import json
from pathlib import Path
from typing import Any

import pytest

from leadline.exploration.explorer import Explorer, Findings
from leadline.exploration.lines import (
    capture_of,
    files_of,
    functions_of,
    lines_of,
    probe_on,
    sampled,
)
from leadline.wire.errors import LeadlineError
from leadline.wire.probe import Probe

HITS = {"log": 100, "snapshot": 10, "capture": 10}
"""Of each line, or function. A suite runs its hot lines some hundred thousand times; a line
that was seen so often tells nothing new; what is removed from it is part of what is tried."""

_explorer: list[Explorer] = []
_findings: list[Findings] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("leadline", "a live probe on every line of a package (Leadline)")
    group.addoption(
        "--leadline-explore", metavar="PACKAGE", action="append", default=[],
        help="put a probe on every line of this package; can be given again",
    )  # fmt: skip
    group.addoption(
        "--leadline-kind", choices=sorted(HITS), default="log",
        help="what stands on each line, or on each function: capture (default: log)",
    )  # fmt: skip
    group.addoption(
        "--leadline-sample", metavar="N", type=int, default=0,
        help="only on so many lines, chosen at random (default: all)",
    )  # fmt: skip
    group.addoption(
        "--leadline-seed", metavar="N", type=int, default=0, help="chooses the sample"
    )
    group.addoption(
        "--leadline-hits", metavar="N", type=int, default=0,
        help="hits of each line, after which its probe is taken out "
        f"(default: {HITS['log']:,} of a log, {HITS['snapshot']:,} of a snapshot)",
    )  # fmt: skip
    group.addoption(
        "--leadline-report", metavar="FILE", default="", help="write what was seen, as JSON"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Place the probes before anything of the suite is imported."""
    options = early_config.known_args_namespace
    packages = options.leadline_explore
    if not packages:
        return
    try:
        explorer = Explorer(_probes(packages, options))
    except (LookupError, LeadlineError) as error:
        raise pytest.UsageError(f"leadline: {error}") from error
    explorer.begin()
    _explorer.append(explorer)


def _probes(packages: list[str], options: Any) -> list[Probe]:
    """Return a probe for each line, or for each function where calls are kept."""
    most, seed = options.leadline_sample, options.leadline_seed
    hits = options.leadline_hits or HITS[options.leadline_kind]
    if options.leadline_kind == "capture":
        functions = [one for package in packages for one in functions_of(package)]
        chosen = enumerate(sampled(functions, most, seed))
        return [capture_of(function, number, hits) for number, function in chosen]
    paths = [path for package in packages for path in files_of(package)]
    lines = sampled([line for path in paths for line in lines_of(path)], most, seed)
    return [
        probe_on(line, number, options.leadline_kind, hits) for number, line in enumerate(lines)
    ]


def pytest_collection_finish() -> None:
    for explorer in _explorer:
        explorer.let_time_pass()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what was seen; after the last test and its fixtures."""
    found = _end(config)
    if found is None:
        return
    terminalreporter.write_sep("-", "leadline")
    terminalreporter.write_line(
        f"{found.armed:,} of {found.probes:,} probes armed, {found.reached:,} reached, "
        f"{found.hits:,} hits, {sum(found.dropped.values()):,} dropped, "
        f"{len(found.faults)} faults ({found.core} core)"
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    _end(config)


def _end(config: pytest.Config) -> Findings | None:
    if _explorer:
        found = _explorer.pop().end()
        _findings.append(found)
        if path := config.getoption("leadline_report"):
            Path(path).write_text(json.dumps(found.as_dict(), indent=1), "utf-8")
    return _findings[-1] if _findings else None
