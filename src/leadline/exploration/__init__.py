"""Other people's test suites, run with a probe on every line of what they test.

A pytest plugin, `pytest -p leadline.exploration --leadline-explore PACKAGE`, and a program that
runs whole suites without and with it and compares the outcomes test by test,
`python -m leadline.exploration.compare`. An agent that changes nothing changes no outcome.
"""

from leadline.exploration.plugin import (
    pytest_addoption,
    pytest_collection_finish,
    pytest_load_initial_conftests,
    pytest_terminal_summary,
    pytest_unconfigure,
)

__all__ = [
    "pytest_addoption",
    "pytest_collection_finish",
    "pytest_load_initial_conftests",
    "pytest_terminal_summary",
    "pytest_unconfigure",
]
