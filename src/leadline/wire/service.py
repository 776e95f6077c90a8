"""The name of a service: what it may be, to be safe in an address, a key and a page."""

import re

from leadline.wire.errors import UsageError

MAX_SERVICE_CHARS = 100
_NAME = re.compile(rf"[A-Za-z0-9._-]{{1,{MAX_SERVICE_CHARS}}}")


def check_service(name: str) -> str:
    """Return `name` if it can name a service. Raises slug `bad-service-name`."""
    # a dot or two alone would be walked away by whoever tidies an address
    if not _NAME.fullmatch(name) or name in (".", ".."):
        raise UsageError(
            "bad-service-name",
            f"{name[:MAX_SERVICE_CHARS]!a} cannot be the name of a service.",
            f"Use 1 to {MAX_SERVICE_CHARS} letters, digits, dots, dashes and underscores.",
        )
    return name
