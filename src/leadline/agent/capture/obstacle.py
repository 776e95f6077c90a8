"""Why a value cannot be written down by value."""

TOO_LARGE = "with it the arguments are larger than can be kept"


class Obstacle(Exception):  # noqa: N818 - it is an answer
    """A sentence that goes on after the path to the value."""
