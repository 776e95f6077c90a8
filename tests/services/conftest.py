"""One server for all tests of a module: services are slow to start, so they are shared."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from live import Leadline

pytest.register_assert_rewrite("kinds", "soundings", "watched")


@pytest.fixture(scope="module")
def shore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Leadline]:
    """A server with a home of its own; a test that kills it starts it again."""
    folder = tmp_path_factory.mktemp("shore")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("LEADLINE_")]:
            patch.delenv(name)
        for name in ("CONFIG", "DATA", "STATE"):
            patch.setenv(f"XDG_{name}_HOME", str(folder / "home" / name.lower()))
        made = Leadline(Path(folder / "home"), folder).up()
        try:
            yield made
        finally:
            made.close()
