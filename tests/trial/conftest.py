"""What tests share that look at all objects of their process, or in copies of it."""

import gc

import pytest


@pytest.fixture(autouse=True)
def only_objects_of_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy looks also at what was put out of sight, as servers do before they fork; here that
    is the tests and their libraries."""
    monkeypatch.setattr(gc, "unfreeze", lambda: None)
