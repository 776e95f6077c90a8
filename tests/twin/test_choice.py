"""Whether there are twins here is said in one sentence, and nothing is loaded beforehand."""

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from leadline import native


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[None]:
    native._found.clear()
    yield
    native._found.clear()


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="no twins here"
)
def test_here_there_are_twins() -> None:
    assert native.twin() is not None, native.twin_reason()
    assert native.twin_reason() == ""


@pytest.mark.parametrize(("system", "machine"), [("darwin", "arm64"), ("linux", "aarch64")])
def test_elsewhere_there_are_none(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine=machine))
    assert native.twin() is None
    assert native.twin_reason() == (
        f"twins are for Linux on x86-64, this is {system} on {machine}"
    )


def test_where_it_was_not_built_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "leadline.native._twin", None)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine="x86_64"))
    assert native.twin() is None
    assert native.twin_reason().startswith("not built: ")


def test_it_is_not_loaded_before_somebody_asks() -> None:
    code = (
        "import sys; from leadline import native;"
        "print('leadline.native._twin' in sys.modules); native.twin()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == b"False\n"
