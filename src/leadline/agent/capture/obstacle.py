"""Why a value cannot be written down by value."""

TOO_LARGE = "with it the arguments are larger than can be kept"
UNNAMED = "it has an attribute whose name is no plain text"


class Obstacle(Exception):  # noqa: N818 - it is an answer
    """A sentence that goes on after the path to the value."""
