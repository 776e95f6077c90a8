"""Hand-written cases."""


def run(only: str):
    return []
