"""The hot path in C: see the headers in `native/core`, one noun each."""

from collections import deque
from collections.abc import Callable, Mapping
from types import CodeType, FrameType
from typing import Any
from weakref import ReferenceType

class Meter:
    """The numbers of a passage; base of `agent.core.passage.Passage`."""

    holds: Any
    take: Any
    hear: Any
    concerns: Any
    began: dict[int, int | list[int]] | None
    opens: dict[int, int | list[int]] | None
    follows: Meter | None
    samples: deque[float] | None
    tokens: float
    hits_left: int
    lost: int
    entered: int
    cost_ns: int
    window_ns: int
    allowance_ns: int
    apart: bool
    timed: bool
    off: bool
    fates: dict[Any, int]
    def equip(self, condition: Program | None, taking: Taking | None, /) -> None: ...
    def count(self, fate: int, /) -> None: ...

class Armed:
    """A passage at one of its sites."""

    passage: Any
    site: Any
    def __new__(
        cls,
        passage: Meter,
        site: object,
        role: int,
        code: CodeType | None,
        special: dict[str, int],
        /,
    ) -> Armed: ...

class Program:
    """An expression that is evaluated in C as far as it can be."""

    names: tuple[str, ...]
    def __new__(cls, tree: tuple[Any, ...], names: tuple[str, ...], /) -> Program: ...

class Taking:
    """What a probe takes at a hit, as far as it can be taken in C."""

    def __new__(
        cls,
        kind: int,
        watches: tuple[Any, ...],
        programs: tuple[Program | None, ...],
        limits: tuple[object, int, int, int],
        further: tuple[object, int, int, int],
        room: int,
        frames: int,
        longest_ns: int,
        too_long: str,
        /,
    ) -> Taking: ...

class Shape:
    """How the instances of one class are captured."""

    def __new__(
        cls,
        of: type,
        name: str,
        kind: int,
        settled: bool,
        slots: tuple[tuple[str, str | None, object], ...],
        dictionary: bool,
        fields: tuple[tuple[str, str | None, object], ...],
        ordered: bool,
        readable: bool,
        resource: int,
        /,
    ) -> Shape: ...

class Ring:
    """The bounded buffer of hits."""

    most_records: int
    most_bytes: int
    most_record_bytes: int
    full: int
    too_large: int
    def __new__(cls, most_records: int, most_bytes: int, most_record_bytes: int, /) -> Ring: ...
    def take(self, most: int, record: Callable[..., Any], /) -> list[Any]: ...
    def clear(self) -> None: ...
    def __len__(self) -> int: ...

class Core:
    """What is armed where, and the callbacks."""

    spent_ns: int
    budget_ns: int
    no_stack: int
    in_python: int
    def __new__(cls, ring: Ring, budget_ns: int, helpers: Mapping[str, object], /) -> Core: ...
    def on_instruction(self, code: CodeType, offset: int, /) -> Any: ...
    def on_start(self, code: CodeType, offset: int, /) -> Any: ...
    def on_return(self, code: CodeType, offset: int, result: object, /) -> Any: ...
    def on_unwind(self, code: CodeType, offset: int, error: BaseException, /) -> Any: ...
    def on_raise(self, code: CodeType, offset: int, error: BaseException, /) -> Any: ...
    def on_yield(self, code: CodeType, offset: int, value: object, /) -> Any: ...
    def on_resume(self, code: CodeType, offset: int, /) -> Any: ...
    def on_throw(self, code: CodeType, offset: int, error: BaseException, /) -> Any: ...
    def put(
        self, event: int, code: CodeType | None, offset: int, armed: tuple[Armed, ...] | None, /
    ) -> None: ...
    def listen(
        self,
        event: int,
        callback: Callable[..., Any] | None,
        codes: tuple[CodeType, ...] | None,
        /,
    ) -> None: ...
    def disarm_all(self) -> None: ...
    def clear(self) -> None: ...
    def spend(self) -> int: ...

def know(
    learn: Callable[[type], Shape],
    names: dict[str, str | None],
    secret_name: Callable[[str], str | None],
    name_rule: Callable[[object], str | None],
    capture: Callable[..., tuple[bytes, int, int]],
    /,
) -> None:
    """Say what the walk asks Python for."""

def forget() -> None:
    """Let go of every class and every code object."""

def capture(
    value: object,
    limits: object,
    depth: int,
    items: int,
    text: int,
    room: int,
    outcome: bool = False,
    /,
) -> tuple[bytes, int]:
    """Return a value as JSON, and the room that is left. Of an outcome, what belongs to its
    process is only named."""

def captures() -> int:
    """Return how many values were taken in Python since the process began."""

def name_fates(fates: tuple[Any, ...], /) -> None:
    """Say what the fates are, in their order."""

def kept_attributes(
    names: dict[Any, Any],
    memo: dict[int, int],
    objects: list[Any],
    known: dict[str, str | None],
    left: int,
    most: int,
    /,
) -> tuple[dict[str, Any], int] | None:
    """Return what stands for the values under these names, and the room that is left; None
    where any of it needs more than is known here."""

def kept_entries(
    entries: dict[Any, Any],
    memo: dict[int, int],
    objects: list[Any],
    known: dict[str, str | None],
    left: int,
    most: int,
    /,
) -> tuple[list[list[Any]], int] | None:
    """As above, of a dictionary whose keys are ordinary texts."""

def kept_items(
    items: list[Any], memo: dict[int, int], objects: list[Any], left: int, most: int, /
) -> tuple[list[Any], int] | None:
    """As above, of what is in a row."""

def kept_nodes(
    hands: tuple[
        list[Any],  # objects
        list[Any],  # their nodes
        list[int],  # how many objects were known before each
        list[Any],  # weak references for a twin
        dict[int, int],  # numbers of objects, by their identity
        dict[int, Any],  # layouts
        dict[int, Any],  # landmarks
        dict[int, Any],  # pieces of a web server's
        dict[str, Any],  # loaded modules
        dict[str, str | None],  # rules of names
        dict[int, tuple[CodeType, int]],  # fingerprints of code
        dict[int, int],  # numbers of weak references, by where their object lies
        str,  # the token of these numbers
        type,  # the class of what stands for one that is held back
    ],
    left: int,
    most: int,
    every: int,
    names_absent: bool,
    /,
) -> tuple[int, bool]:
    """Write down the objects that come next, each as the JSON of its node: containers,
    instances, functions, classes. Returns the room that is left, at the first that needs more
    than is known here, or when the number of nodes can be divided by `every`; and whether it
    is still to be said how the last one is found in a twin. What lives in its process is only
    named there, with `names_absent`."""

def kept_among(names: dict[Any, Any], name: str, otherwise: object, /) -> Any:
    """Return what lies under a name in a dictionary, of which no key is asked whether it is
    equal."""

def around_is_bare(
    thread_locals: list[tuple[str, str]],
    modules: dict[str, Any],
    local: type,
    members: Callable[[Any, str], object],
    environment: dict[bytes, bytes],
    before: dict[bytes, bytes],
    /,
) -> bool:
    """Tell whether a call is made in nothing that has to be written down beside its arguments;
    False is no answer."""

def outline(named: list[tuple[str, object]], /) -> bytes:
    """Return what is cheap to see of a call's arguments: see `choosing.shape_of_call`."""

def parameters_of(frame: FrameType, /) -> list[tuple[str, object]]:
    """Return the parameters of a running frame that have a value, in their order."""

def parameters_shown(
    frame: FrameType, limits: object, depth: int, items: int, text: int, room: int, /
) -> tuple[dict[str, bytes], int]:
    """Return the parameters of a running frame, each as JSON that is an outcome, and the room
    that is left; of a secret its name is told."""

def answer(program: Program, frame: FrameType, result: object, /) -> bool | None:
    """Return whether a predicate holds of a call that has returned; None where that needs more
    than is known here."""

def outward(frame: FrameType, skip: int, count: int, /) -> list[Any]:
    """Return code and globals of the frames further out, by turns."""

def callers(
    frame: FrameType, names: dict[int, tuple[CodeType, str]], frames: int, most: int, /
) -> list[str] | None:
    """Return the names of those frames further out that have one, of at most so many frames;
    None where one is not among `names`."""

def depth(frame: FrameType, /) -> int:
    """Return how many calls deep a running frame of this thread is, itself among them, as the
    interpreter counts them against its limit; 0 where it does not run here."""

def deepen(frame: FrameType, depth: int, /) -> int:
    """Have a running frame of this thread count as so many calls deep, at most as many as the
    limit, which stays what it is; returns by how many it is deeper than before."""

def rise(calls: int, /) -> None:
    """Take back what `deepen` has returned, on the same thread."""

def generator_of(frame: FrameType, /) -> ReferenceType[Any] | None:
    """Return a weak reference to the generator that a frame belongs to, if it does."""

def is_over(reference: ReferenceType[Any], /) -> bool:
    """Tell whether a generator is gone or has come to its end. Nobody holds it meanwhile."""

def unwrapped(value: object, /) -> object:
    """Return what an asynchronous generator gives out, of what the interpreter makes of it."""
