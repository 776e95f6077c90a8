"""What a desk takes for a piece, and what it adds."""

PIECE = 6


def added(name):
    return 0


def width():
    return 2 - 1
