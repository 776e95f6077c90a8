"""What a desk takes for a piece, and what it adds."""

PIECE = 6


def added(name):
    return 0
