"""What runs in an instance, and the source that it runs: asked of the instance itself."""

from leadline.control.context import Context
from leadline.wire.errors import LeadlineError, RefusedError, UnavailableError, UsageError
from leadline.wire.hit import InstanceInfo
from leadline.wire.inventory import (
    MAX_PATH_CHARS,
    Answer,
    Inventory,
    Modules,
    Names,
    SourceText,
    Want,
    WantKind,
)
from leadline.wire.struct import dataclass

ANSWER_S = 5.0
"""How long an instance has for its answer: reading what is installed takes a tenth of it."""
MAX_MESSAGE_CHARS = 1_000
"""Of what an instance says about a question that it has no answer to."""
_REFUSED = ("no-such-file", "ambiguous-file", "no-source")
"""What an instance may refuse a question with."""


@dataclass(frozen=True, slots=True)
class Asked[T]:
    """An answer, and the instance that it is from."""

    instance: InstanceInfo
    answer: T


def inventory(context: Context, instance: str) -> Asked[Inventory]:
    """Return what runs in an instance. Raises as `_ask` does."""
    info, answer = _ask(context, instance, WantKind.INVENTORY)
    return Asked(info, _there(answer.inventory))


def modules(context: Context, instance: str) -> Asked[Modules]:
    """Return the modules that an instance has loaded. Raises as `_ask` does."""
    info, answer = _ask(context, instance, WantKind.MODULES)
    return Asked(info, _there(answer.modules))


def names(context: Context, instance: str) -> Names:
    """Return what can be jumped to in an instance, asked at most every `NAMES_S`. Raises as
    `_ask` does."""
    known = context.names.get(instance)
    if known is None:
        _, answer = _ask(context, instance, WantKind.NAMES)
        known = _there(answer.names)
        context.names.put(instance, known)
    return known


def source(context: Context, instance: str, file: str, who: str) -> Asked[SourceText]:
    """Return the source of a file that an instance has loaded, which is noted in the audit log.

    Raises as `_ask` does, and slugs `no-such-file`, `ambiguous-file`, `no-source`.
    """
    info, answer = _ask(context, instance, WantKind.SOURCE, file)
    text = _there(answer.source)
    context.note(who, "source", info.service, {"instance": info.id, "file": text.file})
    return Asked(info, text)


def take_answer(context: Context, service: str, answer: Answer) -> None:
    """Take the answer of an instance of `service`. Raises `RefusedError` for one of another."""
    feed = context.desired.feed(answer.instance)
    if feed is not None and feed.service != service:
        raise RefusedError(
            "wrong-service",
            f"This key is for agents of {service!r} only.",
            "Give each service the key made for its own name.",
        )
    if feed is not None:
        context.questions.settle(answer)


def _ask(
    context: Context, instance: str, what: WantKind, file: str = ""
) -> tuple[InstanceInfo, Answer]:
    """Put a question to the instance of that id, or of the only connected one whose id begins
    so, and wait. Raises slugs `no-such-instance`, `ambiguous-instance`, `instance-gone`,
    `no-answer`, `too-many-questions`."""
    if len(file) > MAX_PATH_CHARS:
        raise UsageError("no-such-file", "No file has so long a name.")
    info = _resolve(context, instance)
    question = context.questions.open(info.id)
    try:
        if not context.desired.ask(info.id, Want(question.id, what, file)):
            raise _gone(info)
        answer = question.wait(ANSWER_S)
    finally:
        context.questions.close(question)
    if answer is None:
        raise UnavailableError(
            "no-answer",
            f"The instance {info.id} ({info.program}/{info.pid}) did not answer in "
            f"{ANSWER_S:g} s.",
            "It may be stopped, very busy, or run an agent that is older than this server.",
        )
    if answer.error:
        raise _refusal(answer)
    return info, answer


def _resolve(context: Context, instance: str) -> InstanceInfo:
    records = context.store.instances()
    found = [one for one in records if instance and one.info.id.startswith(instance)]
    exact = [one for one in found if one.info.id == instance]
    connected = context.desired.connected()
    found = exact or [one for one in found if one.info.id in connected] or found
    if not found:
        raise UsageError(
            "no-such-instance",
            f"There is no instance {instance[:100]!a}.",
            "`leadline status --json` shows the ids of the instances.",
        )
    if len(found) > 1:
        raise UsageError(
            "ambiguous-instance",
            f"{len(found)} instances have ids that begin with {instance[:100]!a}.",
            "Write more of the id.",
        )
    if found[0].info.id not in connected:
        raise _gone(found[0].info)
    return found[0].info


def _gone(info: InstanceInfo) -> LeadlineError:
    return UnavailableError(
        "instance-gone",
        f"The instance {info.id} ({info.program}/{info.pid} on {info.host}) is not connected.",
        "`leadline status` shows those that are.",
    )


def _refusal(answer: Answer) -> LeadlineError:
    message = answer.message[:MAX_MESSAGE_CHARS]
    if answer.error not in _REFUSED:
        return UnavailableError("no-answer", message or "The agent failed at this question.")
    near = [one[:MAX_PATH_CHARS] for one in answer.nearest[:5]]
    return UsageError(answer.error, message, f"There is: {', '.join(near)}." if near else "")


def _there[T](part: T | None) -> T:
    if part is None:
        raise UnavailableError("no-answer", "The agent answered another question.")
    return part
