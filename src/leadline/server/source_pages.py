"""The pages of Source: what runs, line by line, and the probes on it."""

from msgspec import Struct

from leadline.control.distribution import distribution
from leadline.control.instances import overview
from leadline.control.inventory import Asked, source
from leadline.control.jump import MAX_ASKED, jump, loaded, shortest, youngest
from leadline.control.on_lines import on_lines
from leadline.server.page_frame import frame
from leadline.server.route import Call, Route, page
from leadline.web import source as view
from leadline.wire.errors import LeadlineError
from leadline.wire.inventory import SourceText
from leadline.wire.keys import Right

_ELSEWHERE = ("no-such-file", "instance-gone")
"""With these another instance of the service may still have the file."""


class WhichQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Of which instance; the youngest of the service that has it if not said."""

    instance: str = ""


class JumpQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """What was typed, and where to look."""

    typed: str = ""
    instance: str = ""


@page("/source")
def services_to_read(call: Call) -> str:
    """Choose the service whose source is read."""
    names = [one.service for one in overview(call.context).services if one.connected]
    return view.choice(frame(call, "/source"), [name for name in names if name != "*"])


@page("/services/{service}/source", query=WhichQuery)
def source_home(call: Call) -> str:
    """Show the modules that a service has loaded."""
    return view.home(frame(call, "/source"), _reading(call, ""))


@page("/services/{service}/source/{file:path}", query=WhichQuery)
def source_file(call: Call) -> str:
    """Show a file as it runs, with its probes; its text comes once the process has answered."""
    return view.page(frame(call, "/source"), _reading(call, call.path["file"]))


@page("/parts/source/{service}/names", query=JumpQuery)
def names_part(call: Call) -> str:
    """Return what can be jumped to with some letters."""
    service, query = call.path["service"], call.query
    found = jump(call.context, service, query.instance, query.typed)
    return view.found(service, query.instance, found, query.typed)


@page("/parts/source/{service}/code/{file:path}", query=WhichQuery)
def code_part(call: Call) -> str:
    """Ask a process for a file, and return its lines."""
    reading = _reading(call, call.path["file"])
    asked = _asked(call, reading)
    reading = _reading(call, _short(call, reading, asked.answer))
    on = on_lines(call.context, reading.service, reading.file, asked.instance.id)
    return view.code(reading, asked, on, may_ask=Right.TWIN in call.may)


@page("/parts/source/{service}/probes/{file:path}", query=WhichQuery)
def line_probes_part(call: Call) -> str:
    """Return the probes on the lines of a file, with what they saw last."""
    path = call.path
    found = on_lines(call.context, path["service"], path["file"], call.query.instance)
    return view.line_probes(found)


@page("/parts/source/distribution/{probe}")
def distribution_part(call: Call) -> str:
    """Return what the values of a probe look like together."""
    return view.distribution(distribution(call.context, call.path["probe"]))


def _reading(call: Call, file: str) -> view.Reading:
    service = call.path["service"]
    known = [one for one in overview(call.context).services if one.service == service]
    instances = [
        one.info for kind in known for one in kind.instances if one.connected
    ]  # fmt: skip
    return view.Reading(service, file, call.query.instance, instances)


def _asked(call: Call, reading: view.Reading) -> Asked[SourceText]:
    """Ask the instance that is meant, or the youngest ones one after the other."""
    who = [reading.instance] if reading.instance else youngest(call.context, reading.service)
    for one in who[: MAX_ASKED - 1]:
        try:
            return source(call.context, one, reading.file, call.who)
        except LeadlineError as error:
            if error.slug not in _ELSEWHERE or len(who) == 1:
                raise
    return source(call.context, who[:MAX_ASKED][-1], reading.file, call.who)


def _short(call: Call, reading: view.Reading, text: SourceText) -> str:
    """Return how probes name the file: as short as every process understands it."""
    try:
        modules = loaded(call.context, reading.service, reading.instance)
    except LeadlineError:  # an agent that is older, or too busy to say so in time
        return reading.file
    return shortest(modules).get(text.file, reading.file)


SOURCE_PAGES: tuple[Route, ...] = (
    services_to_read,
    source_home,
    source_file,
    names_part,
    code_part,
    line_probes_part,
    distribution_part,
)
