"""How the larger part of the agent comes into a process that is already running.

An agent that has nothing to look at is its link to the server and no more: `PARTS` is loaded
with the first probe or question, on a thread of ours. The interpreter's own import is not fit
for that. It asks the application's finders, it takes locks that a fork in the middle would
leave held in the child for ever, and gevent's locks may be in their place. So the code of each
module is read from beside our package and run here, leaves first: an `import` in it finds
everything there already and takes no lock. What was not finished at a fork is run again.

Modules of the standard library could be somebody else's by then, from the program's own folder:
`LIBRARY` is imported at the start of the process, before it has one.
"""

import sys
from importlib import _bootstrap
from importlib.machinery import PathFinder
from types import ModuleType

from leadline import native

LIBRARY = """
    __future__ _ast _blake2 _random _sha2 binascii bisect codecs collections contextvars ctypes
    datetime enum functools itertools json keyword math opcode operator re stat threading types
    typing unicodedata warnings zlib
""".split()

PARTS = [
    f"leadline.{name}"
    for name in """
        wire.redaction wire.patterns wire.scrubbing wire.strictness agent.capture.outlet
        agent.core.monitor expression.unknown expression.fuel expression.layout
        expression.interruption expression.walking expression.hiding expression.refusals
        expression.tree expression.pointing expression.spelling expression.parsing
        expression.impossible expression.reading expression.exact expression.operations
        expression.evaluation expression.secrecy
        expression.condition expression.predicate expression.presentation expression.template
        expression.watch expression.check expression agent.capture.frame agent.core.passage
        agent.core agent.locate agent.locate.files agent.locate.lines agent.locate.modules
        agent.inventory agent.locate.outline agent.locate.text agent.locate.items
        agent.locate.place agent.locate.running agent.locate.reasons agent.locate.source
        agent.locate.listing agent.locate.home agent.locate.names agent.link.answerer
        agent.probes agent.departure agent.locate.imports agent.locate.anchor
        agent.locate.functions agent.probes.sites agent.probes.compiled wire.sketch
        agent.probes.tally agent.probes.standing agent.probes.arming agent.probes.budget
        agent.probes.counter agent.capture.reading agent.capture.held agent.capture.recognition
        agent.capture.moments agent.capture.arrays agent.capture.callables agent.capture.errors
        agent.capture.futures agent.capture.numbers agent.capture.records agent.capture.rows
        agent.capture.tables agent.capture.memory agent.capture.views agent.capture.forms
        agent.capture.room agent.capture.tree agent.capture.stack agent.capture.contexts
        agent.capture.suspension agent.capture.task agent.capture.surroundings
        agent.capture.writing agent.probes.watching agent.probes.snapshot
        agent.probes.exception agent.probes.log agent.probes.metric agent.probes.timer
        agent.probes.kinds agent.probes.making agent.probes.registry agent.link.sender
        agent.works agent.capture.resources agent.capture.shapes agent.capture.trace
        agent.core.ring agent.core.program
        agent.core.native agent.core.pure
    """.split()
]
"""Leaves first, of both cores; a test sees that nothing is left to the interpreter's import."""
TWIN_PARTS = [
    f"leadline.{name}"
    for name in """
        wire.stepping wire.refusals trial trial.code trial.failure trial.loops trial.greenlets
        trial.printed trial.showing trial.asking wire.gateway wire.kept trial.withheld
        trial.response trial.gateway trial.depth trial.calls trial.chance trial.revival
        trial.monitoring trial.marks trial.outcome
        trial.accident trial.documents trial.sides trial.comparing trial.agreeing
        trial.course trial.running
        trial.channel
        trial.variables trial.completion trial.standing trial.stepping trial.vigil wire.shell
        agent.twin agent.twin.hearsay agent.twin.child agent.twin.terms agent.twin.order
        agent.twin.gauge agent.twin.readable agent.twin.database_file
        agent.place agent.place.digests
        agent.capture.outcomes agent.twin.outcome agent.twin.digests
        trial.place agent.twin.hushing wire.sample
        agent.twin.tried agent.twin.telling agent.twin.inside
        agent.twin.shells agent.twin.sampling agent.twin.nursery agent.probes.twin
    """.split()
]
"""As `PARTS`, of what runs in a twin: loaded with the first probe that makes one."""
CAPTURE_PARTS = [
    f"leadline.{name}"
    for name in """
        wire.kept wire.packing wire.foreseen wire.carriage wire.gateway
        agent.capture.living agent.capture.naming agent.capture.obstacle
        agent.capture.holding agent.capture.kept_functions agent.capture.kept_quickly
        agent.capture.kept_values agent.capture.kept_arrays agent.capture.kept_views
        agent.capture.kept_streams agent.capture.kept_classes
        agent.capture.kept_standard
        agent.capture.kept_forms agent.capture.kinds agent.capture.environment
        agent.capture.kept_surroundings agent.capture.gateway
        agent.capture.landmarks agent.capture.withholding agent.capture.keeping
        agent.capture.callers agent.state agent.loaded_code agent.origin agent.probes.choosing
        agent.twin trial
        trial.withheld trial.response trial.gateway trial.depth trial.calls trial.showing
        trial.outcome
        trial.printed
        agent.capture.outcomes agent.capture.wrapped agent.probes.turns
        agent.twin.outcome agent.capture.bodies agent.probes.listening agent.probes.captured
        agent.probes.ending agent.probes.capturing
    """.split()
]
"""As `PARTS`, of what captures whole calls: loaded with the first probe that does."""
SEALED_PARTS = [
    f"leadline.{name}"
    for name in """
        trial.guards trial.program trial.syntax trial.uses trial.rebound trial.bygone trial.warm
        trial.reckoned trial.keyed trial.keeping trial.left trial.traces
        trial.applying trial.candidate trial.difference trial.fresh trial.holders trial.overlay
        trial.patch trial.plan trial.questions
        trial.purity trial.reachable trial.scopes trial.sessions trial.sources trial.stores
        trial.steps trial.unified trial.untried trial.elsewhere trial.dotted trial.building
        trial.building_arrays trial.building_functions trial.building_streams
        trial.building_classes trial.building_standard trial.rebuilding
        agent.place.inside agent.place.entry agent.place.callee
        agent.place.belongings agent.place.deep agent.place.globals agent.place.lines
        agent.place.scope
        agent.place.databases agent.place.connections agent.place.rows agent.place.written
        agent.place.one_run agent.twin.apart agent.twin.bench agent.twin.served
        agent.twin.trying
        agent.twin.zygote
    """.split()
]
"""What reads a candidate and puts it in, and `ast` and `difflib` with it: imported inside the
seal, by each twin that tries one. The live process never carries it."""
TWIN_TERMS = ["leadline.agent.twin", "leadline.agent.twin.terms"]
"""Of these, what says whether the service allows twins at all."""
_ONLY = {
    "native": ("leadline.agent.core.native",),
    "pure": ("leadline.agent.core.pure",),
}
"""What the one core needs and the other does not."""

_bare: set[str] = set()
"""Packages that are there for their modules' sake and have not been run themselves."""


def import_library() -> None:
    """Import what our own modules will need; on the main thread, at the start."""
    for name in LIBRARY:
        try:
            __import__(name)
        except ImportError:  # a build without a module that we can do without
            continue


def others() -> tuple[str, ...]:
    """Return the parts that only the core needs that does not run here."""
    return _ONLY["native" if native.core() is None else "pure"]


def load() -> None:
    """Load what is not there yet. One thread at a time."""
    _load(PARTS)


def load_twin_terms() -> None:
    """Load what says whether there may be twins: where not, the rest stays out."""
    _load(TWIN_TERMS)


def load_twin() -> None:
    """Load what a twin runs, in the live process and before the clone: a twin may open no
    file. After `load`; what is captured of a live call is compiled here as well."""
    try:
        _load([native.TWIN])
    except ImportError:  # not built: whoever asks for a twin is told
        return
    _load(TWIN_PARTS)
    from leadline.wire.struct import prepare

    prepare()


def load_capture() -> None:
    """Load what captures whole calls. After `load`; what is made on the application's thread
    is compiled here as well."""
    _load(CAPTURE_PARTS)
    from leadline.wire.struct import prepare

    prepare()


def _load(parts: list[str]) -> None:
    unwanted = others()
    for name in parts:
        if name in unwanted:
            continue
        if name in _bare or name not in sys.modules:
            _run(name)


def _run(name: str) -> None:
    module = sys.modules[name] if name in _bare else _made(name)
    loader = module.__spec__.loader if module.__spec__ is not None else None
    if loader is None:
        raise ImportError(f"nothing can load {name}")
    loader.exec_module(module)
    _enter(module)
    _bare.discard(name)


def _made(name: str) -> ModuleType:
    """Return the module, empty, its package above it."""
    above, _, tail = name.rpartition(".")
    if above not in sys.modules:
        _bare.add(above)
        _enter(_made(above))
    spec = PathFinder.find_spec(name, sys.modules[above].__path__)
    if spec is None:
        raise ImportError(f"{tail} is not in {above}")
    module: ModuleType = _bootstrap.module_from_spec(spec)
    return module


def _enter(module: ModuleType) -> None:
    above, _, tail = module.__name__.rpartition(".")
    sys.modules[module.__name__] = module
    setattr(sys.modules[above], tail, module)
