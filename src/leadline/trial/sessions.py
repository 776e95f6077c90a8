"""The session that an object of SQLAlchemy was loaded by, which is not where it is made again:
nothing more of the object can be loaded, and no flush writes what is changed in it.

Their state stays what it was. Code that asks for the session, or works with any while it was
given such an object, has left the path of the real call, and its run says so.
"""

import sys
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import wraps
from typing import Any, NoReturn

from leadline.trial.withheld import WithheldTouched, touch
from leadline.wire.kept import CONTEXT, paths, steps
from leadline.wire.value import SESSION_ELSEWHERE

_NUMBER = "session_id"
_STATES = "sqlalchemy.orm.state"
_STATE = "_sa_instance_state"
_ASIDE = frozenset(("object_session", "identity_key", "info", "sessionmaker"))
"""What a session has that says nothing of what is in it."""


def map_classes() -> None:
    """Have the classes mapped, as they are wherever one of their objects is: that is done when
    the first is made or asked for, which an object that is made again here never was."""
    mapped: Any = sys.modules.get("sqlalchemy.orm")
    if mapped is not None:
        with suppress(Exception):  # the first call that asks for one will tell
            mapped.configure_mappers()


def be_without(document: dict[str, Any]) -> None:
    """Have each look for a session that the objects of a document had end the run. For a
    process that makes one call."""
    nodes = document.get("nodes", ())
    lost = {at for at, node in enumerate(nodes) if _is_lost(node, nodes)}
    states = sys.modules.get(_STATES)
    sessions = sys.modules.get("sqlalchemy.orm.session")
    if not lost or states is None or sessions is None:
        return
    said = {at: path.removesuffix(f".{_STATE}") for at, path in paths(document, lost).items()}

    def gone(path: str) -> NoReturn:
        touch(WithheldTouched(path, "was in a session, which is not here"))

    one = min(said.values(), key=len, default="an object")
    _of_states(states.InstanceState, lambda: gone(one))
    passed = [said.get(at, one) for at in _passed(document) if at in lost]
    if passed:
        first = min(passed, key=len)
        _of_sessions(sessions.Session, lambda _: gone(first))
        scoping: Any = sys.modules.get("sqlalchemy.orm.scoping")
        if scoping is not None:
            _before(scoping.scoped_session, "remove", lambda _: gone(first))
    else:
        _before(sessions.Session, "_before_attach", lambda args: _own(args, lambda: gone(one)))


def _is_lost(node: dict[str, Any], nodes: Sequence[dict[str, Any]]) -> bool:
    number = node.get("a", {}).get(_NUMBER)
    if type(number) is not int or number != SESSION_ELSEWHERE:
        return False
    cls = nodes[node["c"]] if "c" in node else {}
    return (cls.get("m"), cls.get("t")) == (_STATES, "InstanceState")


def _passed(document: dict[str, Any]) -> Iterator[int]:
    """Yield the nodes that arguments lead to."""
    roots, nodes = document["roots"], document["nodes"]
    waiting = [ref[0] for name, ref in roots.items() if name != CONTEXT and type(ref) is list]
    met = set(waiting)
    while waiting:
        at = waiting.pop()
        yield at
        new = {ref[0] for _, ref in steps(nodes[at]) if type(ref) is list} - met
        met |= new
        waiting += new


def _of_states(kind: Any, gone: Callable[[], NoReturn]) -> None:
    """What is asked of an object: its session, and whether it is in one."""
    session, attached = vars(kind)["session"].fget, vars(kind)["_attached"].fget

    def session_of(state: Any) -> Any:
        return gone() if _is_elsewhere(state) else session(state)

    def is_attached(state: Any) -> Any:
        return True if _is_elsewhere(state) else attached(state)

    kind.session, kind._attached = property(session_of), property(is_attached)  # noqa: SLF001


def _of_sessions(kind: Any, gone: Callable[[tuple[Any, ...]], object]) -> None:
    """All that can be done with a session, but to make one and to let it go."""
    for name, one in list(vars(kind).items()):
        if name in _ASIDE or (name[0] == "_" and name not in ("__contains__", "__iter__")):
            continue
        if type(one) is types.FunctionType:
            _before(kind, name, gone)
        elif isinstance(one, property):
            setattr(kind, name, property(_after(gone, one.fget)))


def _before(kind: Any, name: str, do: Callable[[tuple[Any, ...]], object]) -> None:
    """Do something before a method is called."""
    one = vars(kind).get(name)
    if type(one) is types.FunctionType:
        setattr(kind, name, _after(do, one))


def _after(do: Callable[[tuple[Any, ...]], object], one: Any) -> Callable[..., Any]:
    @wraps(one)
    def called(*args: Any, **kwargs: Any) -> Any:
        do(args)
        return one(*args, **kwargs)

    return called


def _own(args: tuple[Any, ...], gone: Callable[[], NoReturn]) -> None:
    """An object is put into another session."""
    if any(_is_elsewhere(one) for one in args):
        gone()


def _is_elsewhere(state: Any) -> bool:
    number = getattr(state, _NUMBER, None)
    return type(number) is int and number == SESSION_ELSEWHERE
