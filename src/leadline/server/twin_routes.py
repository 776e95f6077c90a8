"""The addresses of twins: ordering one, and sitting at a shell in one."""

from msgspec import Struct, structs

from leadline.control.samples import calls_wanted
from leadline.control.shells import ask_shell, leave_shell, listen, take_replies
from leadline.control.twins import TwinOrder, ask_approval, order_twin
from leadline.server.approval_routes import ApprovalAnswer
from leadline.server.bodies import AnchorBody, CaptureBody, ProbeAnswer, checked
from leadline.server.route import Call, Flow, Headed, Route, Who, route
from leadline.wire.keys import Right
from leadline.wire.messages import MAX_REPORT_BYTES, SAMPLE_PATH, SHELL_PATH
from leadline.wire.probe import Anchor
from leadline.wire.sample import SampledCall, Wanted
from leadline.wire.shell import Replies
from leadline.wire.twin import TRIES, TwinUse

_TWIN = "/v1/twins/{probe}"
MAX_REQUEST_BYTES = 200_000
"""Code that is written in escapes has six times its length."""
MAX_ORDER_BYTES = 4_000_000
"""A candidate of the largest size, with every fourth character written as an escape."""


class TwinBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A twin to be made: see `control.TwinOrder`."""

    use: TwinUse
    target: str
    code: tuple[str, ...] = ()
    condition: str | None = None
    life_s: float | None = None
    instance: str = ""
    hits: int | None = None
    ttl_s: float | None = None
    rate_per_s: float | None = None
    nonce: str = ""
    signature: str = ""
    signed_until: float = 0.0
    capture: CaptureBody = CaptureBody()
    owner: str = ""
    note: str = ""
    anchor: AnchorBody | None = None

    def read(self) -> TwinOrder:
        """Return the use case's own; what it asks for is not checked yet."""
        said = structs.asdict(self)
        said["capture"] = self.capture.read()
        said["anchor"] = checked(Anchor, self.anchor) if self.anchor else None
        return TwinOrder(**said)


class RequestBody(Struct, frozen=True, forbid_unknown_fields=True):
    """One request to the twin of a shell: see `wire.Tell`."""

    number: int
    text: str
    signature: str = ""


@route(
    "POST",
    "/v1/services/{service}/twins",
    who=Who.USER,
    right=Right.TWIN,
    waits=lambda body: body.use in TRIES,
    body=TwinBody,
    returns=ProbeAnswer,
    status=201,
    max_bytes=MAX_ORDER_BYTES,
)
def order(call: Call) -> ProbeAnswer | Headed:
    """Order a twin of a service: it is a probe of the kind `twin`."""
    body: TwinBody = call.body
    asked, service = body.read(), call.path["service"]
    if Right.TWIN not in call.may:
        waiting = ask_approval(call.context, asked, who=call.who, service=service)
        return Headed(ApprovalAnswer(approval=waiting), {"location": waiting.address}, 202)
    return ProbeAnswer(probe=order_twin(call.context, asked, who=call.who, service=service))


@route(
    "POST",
    f"{_TWIN}/requests",
    who=Who.USER,
    right=Right.TWIN,
    body=RequestBody,
    status=204,
    max_bytes=MAX_REQUEST_BYTES,
)
def request(call: Call) -> None:
    """Put a request to the twin of a shell; its reply comes down the stream."""
    body: RequestBody = call.body
    ask_shell(
        call.context, call.path["probe"], body.number, body.text, body.signature, who=call.who
    )


@route(
    "GET",
    f"{_TWIN}/replies",
    who=Who.USER,
    right=Right.TWIN,
    events={
        "begun": "`instance`: the twin is there, and can be asked",
        "reply": "`number` of the request, and `text`",
        "ended": "`reason`: nothing follows",
    },
)
def replies(call: Call) -> Flow:
    """Stream what the twin of a shell says; when its reader goes, the twin ends."""
    shell = listen(call.context, call.path["probe"], call.who)
    return Flow(shell, lambda: leave_shell(call.context, shell))


class SampleAnswer(Struct, frozen=True, kw_only=True):
    """Captured calls, in their order: see `wire.Sampled`."""

    calls: list[SampledCall]


@route("POST", SAMPLE_PATH, who=Who.AGENT, body=Wanted, returns=SampleAnswer)
def sample(call: Call) -> SampleAnswer:
    """Hand out captured calls that an order names, to the agent whose twin is to try them."""
    return SampleAnswer(calls=calls_wanted(call.context, call.service, call.body))


@route("POST", SHELL_PATH, who=Who.AGENT, body=Replies, status=204, max_bytes=MAX_REPORT_BYTES)
def say(call: Call) -> None:
    """Take what a twin says to whoever sits at its shell."""
    take_replies(call.context, call.service, call.body)


TWIN_ROUTES: tuple[Route, ...] = (
    order,
    request,
    replies,
    sample,
    say,
)
