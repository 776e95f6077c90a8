"""Which code is the service's own, as far as a place can know it."""

import os
import sys
from collections.abc import Callable

from leadline.trial.place import Begin


def own_code(begin: Begin) -> Callable[[str], bool]:
    """Return what tells whether a file is the service's own: in its folders, or anywhere that
    is no place for what is installed."""
    library = os.path.dirname(os.__file__) + "/"
    ours = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + "/"
    folders = tuple(os.path.realpath(one) + "/" for one in begin.scope)
    foreign = (library, sys.base_prefix + "/lib/", ours)

    def own(file: str) -> bool:
        if file.startswith("<"):
            return False
        real = os.path.realpath(file)
        if folders and real.startswith(folders):
            return True
        installed = "/site-packages/" in real or "/dist-packages/" in real
        return not installed and not real.startswith(foreign)

    return own
