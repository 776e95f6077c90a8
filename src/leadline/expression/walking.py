"""Finding a name in a dictionary without asking any of its keys.

A lookup by hash asks every key of the same hash whether it is equal, and a key can be an object
of the application. So dictionaries are walked, and only exact strings are compared.
"""

from leadline.expression.fuel import burn, sparse
from leadline.expression.interruption import expected
from leadline.expression.layout import MISSING
from leadline.expression.unknown import Unknown

ATTEMPTS = 3
"""Times that a dictionary is walked which other threads change meanwhile."""
MAX_NAMES = 10_000
"""Variables of a module that are walked: 0.2 ms, and no module written by hand has more."""
_NAMES_PER_UNIT = 10
"""Most names are found by identity, which costs a tenth of a look at an entry."""


def lookup(namespace: dict[str, object], name: str) -> object:
    """Return what an exact dictionary of variables holds under `name`, or `MISSING`.

    Raises `Unknown` for one that is too large, or that changes all the time.
    """
    size = dict.__len__(namespace)
    if size > MAX_NAMES or sparse(dict.__sizeof__(namespace), size):
        raise Unknown(f"{name} is not looked for among more than {MAX_NAMES:,} variables")
    burn(1 + size // _NAMES_PER_UNIT)
    return find(namespace, name)


def find(namespace: dict[str, object], name: str) -> object:
    """As `lookup`, for a dictionary that is known to be small, and without burning fuel."""
    for _ in range(ATTEMPTS):
        try:
            for key, value in dict.items(namespace):
                if key is name:
                    return value
            for key, value in dict.items(namespace):
                if type(key) is str and key == name:
                    return value
        except RuntimeError as error:  # "dictionary changed size during iteration"
            if not expected(error, RuntimeError):
                raise
        else:
            return MISSING
    raise Unknown("another thread kept changing the variables while they were read")
