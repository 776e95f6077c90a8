"""How the beginning of a name may go on, in a frame."""

import builtins
import keyword
import re
from typing import Any

from leadline.wire.stepping import MAX_COMPLETIONS

_TAIL = re.compile(r"(?:[^\W\d]\w*(?:\[[^\[\]]*\])*\.)*(?:[^\W\d]\w*)?$")
"""What at the end of a line is completed: names, attributes, simple subscripts."""


def complete(line: str, namespace: dict[str, Any]) -> list[str]:
    """Return what may stand in place of the name that `line` ends with, sorted.

    To know the attributes of something it is evaluated: properties run. Names that begin with
    an underscore come only where one was written.
    """
    match = _TAIL.search(line)
    tail = match.group() if match is not None else ""
    owner, dot, beginning = tail.rpartition(".")
    if dot:
        names, before = _attributes(owner, namespace), f"{owner}."
    else:
        names, before = [*namespace, *dir(builtins), *keyword.kwlist], ""
    found = {
        name
        for name in names
        if name.startswith(beginning) and (beginning[:1] == "_" or name[:1] != "_")
    }
    return [before + name for name in sorted(found)[:MAX_COMPLETIONS]]


def _attributes(owner: str, namespace: dict[str, Any]) -> list[str]:
    try:
        value = eval(owner, dict(namespace))  # noqa: S307 - in a twin anything may run
        return [str(name) for name in dir(value)]
    except BaseException:  # noqa: BLE001 - there is nothing to complete then
        return []
