"""Why a value cannot be written down by value."""


class Obstacle(Exception):  # noqa: N818 - it is an answer
    """A sentence that goes on after the path to the value."""
