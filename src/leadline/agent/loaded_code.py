"""Which code of each file of the application is loaded, told by digests of its functions.

A file on the disk may have been edited since: only what is loaded says which version of it
runs. Of two texts that are compiled elsewhere, by the same interpreter, the digests tell which
one it is. Runs on a thread of ours, and runs no code of the application.
"""

import marshal
import os
from _sha2 import sha256  # type: ignore[import-not-found]
from collections.abc import Iterable
from time import sleep, thread_time
from types import CodeType

from leadline.agent.locate.files import File
from leadline.agent.locate.modules import code_of_module, code_on_stacks, module_file
from leadline.agent.state import own_modules
from leadline.wire.call import NOT_LOOKED_AT

MAX_S = 0.2
"""Of this thread's time for all files: some 250 of them, with 8,000 functions."""
MAX_CODES = 20_000
_REST_S = 0.001
_FORMAT = 2
"""Of `marshal`: the last one that writes equal code alike, whoever holds its constants."""
_DIGITS = 8


def loaded_code(file: str) -> dict[str, list[str]]:
    """Return the digests of the code that is loaded, by source file; `[NOT_LOOKED_AT]` for a
    file whose time had not come: what was changed last on the disk comes first. `file` is that
    of a function of the application, whose package is told even if it is installed."""
    found: dict[str, list[str]] = {}
    known = [(module_file(module), module) for _, module in own_modules(file)]
    known.sort(key=lambda one: (one[0] == file, _changed_ns(one[0])), reverse=True)
    until, many = thread_time() + MAX_S, 0
    for path, module in known:
        if found and (many >= MAX_CODES or thread_time() > until):
            found[path] = [NOT_LOOKED_AT]
            continue
        source = File(path, os.path.realpath(path))
        codes = code_of_module(module, source)
        if path == file:  # what some registry alone holds is running at least
            codes += code_on_stacks(source)
        digests = {*found.get(path, ()), *digests_of(codes)}
        found[path] = [NOT_LOOKED_AT] if NOT_LOOKED_AT in digests else sorted(digests)
        many += len(found[path])
        sleep(_REST_S)  # it is the application's interpreter
    return found


def _changed_ns(path: str) -> int:
    try:
        return os.stat(path).st_ctime_ns
    except OSError:  # in an archive, or gone
        return 0


def digests_of(codes: Iterable[CodeType]) -> set[str]:
    """Return a digest of each function: its instructions, constants, names and lines. The code
    of modules and classes is left out, which nobody holds once it was run."""
    return {digest_of(one) for one in codes if one.co_flags & _OPTIMIZED}


def digest_of(code: CodeType) -> str:
    """Return it for one function, wherever its file lies."""
    try:
        octets = marshal.dumps(code, _FORMAT)
        name = marshal.dumps(code.co_filename, _FORMAT)
    except ValueError:  # somebody has put something else among its constants
        return NOT_LOOKED_AT
    return str(sha256(octets.replace(name, b"")).hexdigest())[:_DIGITS]


_OPTIMIZED = 0x1
"""`CO_OPTIMIZED`: of functions."""
