"""`leadline shell`: a prompt in the frame of a hit, in a sealed copy of the process."""

import argparse
import json
import queue
import shutil
import time
from typing import Any

from leadline.cli.ask import no_answer
from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.duration import spoken
from leadline.cli.processes import Processes
from leadline.cli.shell_prompt import Prompt
from leadline.cli.shell_talk import Conversation, OverError
from leadline.cli.shell_view import place_of, reply_lines, stack_lines
from leadline.cli.shell_words import AGAIN, HELP, Typed, typed
from leadline.cli.show import err, harmless, out
from leadline.cli.twin_order import Order, add_order_options, ordered
from leadline.cli.twin_view import end_line
from leadline.cli.twin_waiting import LOOK_S, Progress
from leadline.wire.errors import ExitCode, LeadlineError
from leadline.wire.stepping import Do
from leadline.wire.twin import TwinEnd, TwinUse

_WAIT_S = 60.0
_COMPLETE_S = 2.0
"""How long a completion is waited for."""
_QUIT_S = 2.0
"""How long a twin that is to end may take to say so, before it is ended."""
_LAST_S = 5.0
"""How long what became of the twin is waited for, once it has ended."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", help="the service that is looked into")
    parser.add_argument(
        "place", metavar="PLACE", help="FILE:LINE or MODULE:FUNCTION, e.g. shop/pricing.py:88"
    )
    add_order_options(parser, TwinUse.SHELL, _WAIT_S)
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    client = Client()
    more_s = args.life + 30.0  # the order lasts as long as its twin may
    with ordered(client, args, TwinUse.SHELL, more_s=more_s) as order:
        shell = _Shell(client, order, args)
        if not shell.wait(args.wait):
            order.look()
            return no_answer(order, args.wait, as_json=args.json)
        shell.sit()
        return shell.end()


class _Shell:
    """One sitting, from the order to what became of the twin."""

    def __init__(self, client: Client, order: Order, args: argparse.Namespace) -> None:
        self._client, self._order = client, order
        self._json, self._life_s = args.json, args.life
        self._width = shutil.get_terminal_size((100, 0)).columns
        self._talk = Conversation(client, order, args.life, self._late)
        self._prompt = Prompt(self._completions)
        self._place = "?"
        self._last: Typed | None = None
        self._left = False

    def wait(self, seconds: float) -> bool:
        """Wait for the twin; False if there is none."""
        progress = Progress(self._order)
        until = time.monotonic() + seconds
        instance = ""
        try:
            while not instance:
                if progress.look() or time.monotonic() >= until:
                    return bool(self._order.probe["hits"])
                instance = self._talk.begun(min(LOOK_S, until - time.monotonic()))
        except OverError:
            return bool(self._order.look()["hits"])  # it ended before anybody could ask
        self._talk.live(self._life_s)
        named = Processes(self._client).name({"instance": instance})
        who = f"{self._order.probe['service']}/{named.get('pid', instance)}"
        if not self._json:
            out(harmless(f"a twin of {who}: its request goes on, and the twin stands still"))
            out(f"it lives for {spoken(self._life_s)}; help shows what can be typed")
        return True

    def sit(self) -> None:
        """Answer whatever is typed, until the twin or the input ends."""
        if self._talk.over:
            return
        try:
            self._do(Typed(Do.WHERE), first=True)
            while not self._over():
                pass
        except OverError:
            return

    def _over(self) -> bool:
        """Answer one line; returns whether it was the last."""
        try:
            line = self._line()
            if line is None:
                return self._do(Typed(Do.QUIT))
            now = typed(line) if line.strip() else self._last
            self._last = now if now is not None and now.do in AGAIN else None
            return now is not None and self._do(now)
        except LeadlineError as error:
            self._problem(error)
        except KeyboardInterrupt:
            out()
            if self._talk.over:  # it is the twin's end that has interrupted
                raise OverError(self._talk.over) from None
            if not self._prompt.is_terminal:
                raise
        return False

    def end(self) -> int:
        """Say what became of the twin; returns the exit status."""
        self._talk.last_words(_LAST_S)
        hit = self._hit()
        reason = self._talk.over
        if self._json:
            out(json.dumps({"schema_version": 1, "ended": reason, "hit": hit}))
        elif hit is None:
            out(harmless(f"the twin is gone: {reason or 'nothing was heard of it any more'}"))
        else:
            out(harmless(f"the twin has ended   {end_line(hit['twin'])}"))
        if self._left:
            return ExitCode.OK
        return ExitCode.OK if hit and hit["twin"]["end"] == TwinEnd.DONE else ExitCode.NO

    def _line(self) -> str | None:
        """Return what is typed next; an interrupt begins a new line."""
        prompt = f"({self._place}, {self._talk.left_s} s) "
        with self._talk.prompting():
            return self._prompt.line(prompt, quiet=self._json)

    def _do(self, now: Typed, *, first: bool = False) -> bool:
        """Ask, and show the answer; returns whether that was the end."""
        if now.do is None:
            out(HELP)
            return False
        if now.do is Do.QUIT:
            self._left = True
        try:
            reply = self._talk.ask(
                now.do, now.text, seconds=_QUIT_S if now.do is Do.QUIT else None
            )
        except queue.Empty:  # it is at something else, and ends with its order
            self._order.remove()
            return True
        except KeyboardInterrupt:
            err("leadline: the twin goes on; its answer comes with your next line")
            return False
        self._show(reply, now, first=first)
        return now.do is Do.QUIT

    def _show(self, reply: dict[str, Any], now: Typed, *, first: bool = False) -> None:
        self._place = place_of(reply) if reply.get("stop") else self._place
        if self._json:
            said = {"do": now.do and str(now.do), "text": now.text, "reply": reply}
            out(json.dumps({"schema_version": 1} | said))
        elif now.do is not Do.QUIT:
            lines = stack_lines(reply) if first else None
            for line in lines or reply_lines(reply, now.do, now.text, self._width):
                out(line)

    def _late(self, reply: dict[str, Any], do: Do, text: str) -> None:
        """Show an answer that was not waited for."""
        self._show(reply, Typed(do, text))

    def _problem(self, error: LeadlineError) -> None:
        if self._json:
            out(json.dumps({"schema_version": 1, "error": error.slug, "text": error.message}))
        else:
            out(f"  {harmless(error.message)}")

    def _completions(self, line: str) -> list[str]:
        """Return how a line may go on. Whatever goes wrong here, typing goes on."""
        try:
            reply = self._talk.ask(Do.COMPLETE, line, seconds=_COMPLETE_S)
        except (LeadlineError, OverError, queue.Empty, OSError):
            return []
        return [harmless(str(one)) for one in reply.get("completions") or []]

    def _hit(self) -> dict[str, Any] | None:
        """Return what the process reported of the twin, once it has."""
        deadline = time.monotonic() + _LAST_S
        while True:
            try:
                found = self._client.get("/v1/hits", probe=self._order.id)["hits"]
            except LeadlineError:
                return None
            if found or time.monotonic() >= deadline:
                return dict(found[-1]) if found else None
            time.sleep(0.1)


COMMAND = Command(
    "shell",
    "a prompt in the frame of a hit, in a sealed copy of the process",
    "leadline shell shop shop/pricing.py:88 --if 'total > 100' --life 5m",
    _configure,
    _run,
)
