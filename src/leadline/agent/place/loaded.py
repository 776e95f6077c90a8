"""Whether a text that is served for a file is the one that the service has loaded."""

import warnings
from collections.abc import Iterator
from types import CodeType

from leadline.agent.loaded_code import digests_of
from leadline.agent.locate.lines import nested
from leadline.trial.place import Begin


def as_loaded(begin: Begin) -> list[str]:
    """Return the files of `begin.loaded` of whose text all the functions are that the service
    has loaded. It may have let go of some: of others than are loaded nothing is said."""
    return [
        file
        for file, digests in begin.loaded.items()
        if digests_of(_codes(begin.overlay.get(file), file)).issuperset(digests)
    ]


def _codes(text: str | None, file: str) -> Iterator[CodeType]:
    if text is None:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield from nested(compile(text, file, "exec", dont_inherit=True))
