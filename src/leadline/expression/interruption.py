"""Telling a failure that we expect from an exception that merely struck while we looked.

A signal handler of the application may raise whatever it likes, between any two instructions
of ours: `RuntimeError`, `AttributeError`, a class that inherits from one. An `except` of ours
that is meant for a builtin function must not keep it.
"""


def expected(error: BaseException, *kinds: type[BaseException]) -> bool:
    """Tell whether C code, called by the very frame that caught `error`, raised it.

    True only for an instance of exactly one of `kinds` whose traceback ends in the catching
    frame: a handler written in Python leaves its own. So the `try` may stand only around calls
    of C code.
    """
    traceback = error.__traceback__
    if traceback is None or traceback.tb_next is not None:
        return False
    kind = type(error)
    return any(kind is one for one in kinds)
