"""Where a process has a function from: what a fresh process needs to import it the same way."""

import os
import sys
from _sha2 import sha256  # type: ignore[import-not-found]
from importlib.machinery import ModuleSpec
from types import ModuleType

from leadline.agent.loaded_code import loaded_code
from leadline.agent.locate.files import import_roots
from leadline.agent.state import held_by_modules
from leadline.wire.call import KEPT_FLAGS, Origin

_dict_of = vars(ModuleType)["__dict__"].__get__
MAX_FILE_BYTES = 20_000_000
"""Of a source whose digest is worth its time."""


def origin_of(file: str) -> Origin:
    """Return it for a function of that source file. Reads the file, so on a thread of ours."""
    return Origin(
        python=sys.version.partition(" ")[0],
        executable=sys.executable or "",
        path=import_roots(),
        folder=_folder(),
        file=file,
        digest=_digest(file),
        hash_randomization=bool(sys.flags.hash_randomization),
        hash_seed=os.environ.get("PYTHONHASHSEED", ""),
        main=_main(),
        state=held_by_modules(file),
        code=loaded_code(file),
        recursion_limit=sys.getrecursionlimit(),
        max_str_digits=sys.get_int_max_str_digits(),
        flags={name: int(value) for name in KEPT_FLAGS if (value := getattr(sys.flags, name))},
        warnings=[one for one in sys.warnoptions if type(one) is str],
    )


def _main() -> str:
    """Return the name under which the program itself can be imported, if it has one."""
    module = sys.modules.get("__main__")
    held = _dict_of(module) if type(module) is ModuleType else {}
    spec = held.get("__spec__")
    if type(spec) is ModuleSpec and type(spec.name) is str:
        return spec.name
    file = held.get("__file__")
    name, end = os.path.splitext(os.path.basename(file)) if type(file) is str else ("", "")
    return name if end == ".py" and name.isidentifier() else ""


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return ""


def _digest(file: str) -> str:
    try:
        if not os.path.isfile(file) or os.path.getsize(file) > MAX_FILE_BYTES:
            return ""
        with open(file, "rb") as source:
            return str(sha256(source.read(MAX_FILE_BYTES)).hexdigest())
    except OSError:
        return ""
