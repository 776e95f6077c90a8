"""A plugin of pytest that writes the names of tests which failed: `-p benchmarks.verify.failing
--failing-into FILE`."""

import json
from pathlib import Path
from typing import Any

_failed: set[str] = set()


def pytest_addoption(parser: Any) -> None:
    parser.addoption("--failing-into", metavar="FILE")


def pytest_runtest_logreport(report: Any) -> None:
    if report.failed:
        _failed.add(report.nodeid)


def pytest_collectreport(report: Any) -> None:
    if report.failed:
        _failed.add(report.nodeid)


def pytest_unconfigure(config: Any) -> None:
    if into := config.option.failing_into:
        Path(into).write_text(json.dumps(sorted(_failed)), "utf-8")
