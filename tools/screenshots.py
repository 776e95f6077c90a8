"""Takes pictures of every view of the page, from a demo that runs for it: `make screenshots`.

All go to `build/screenshots`, light and dark, wide and narrow, empty and busy, for somebody to
look at; those in `README` are written to `docs/images` too. What a picture waits for has to
appear, so a view that broke ends the run.
"""

import argparse
import base64
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import (
    Browser,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

ROOT = Path(__file__).parent.parent
ALL = ROOT / "build" / "screenshots"
IMAGES = ROOT / "docs" / "images"
LEADLINE = str(Path(sys.executable).with_name("leadline"))
WIDE: ViewportSize = {"width": 1280, "height": 800}
NARROW: ViewportSize = {"width": 380, "height": 800}
MOST_HEIGHT = 2400
READY_S = 60.0
TRAFFIC_S = 45.0
"""So long the shop runs before it is looked at: lines over the last minute are then lines."""
README = {
    "source": "page-source",
    "exception": "page-hit",
    "twin-asked": "page-twin",
    "verdict": "page-verdict",
}
"""Which views the README and the documentation show, and as what."""
IN_README = ("busy", "light", "wide")
MOST_BYTES = 200_000
PROBES = (
    "log shop shop/worker.py:41 'round {rounds}: moved {moved}, sent {sent}' --rate 1",
    "log shop shop/orders.py:33 'order {number} for {customer.email}, paid by {payment_token}'",
    "snap shop shop/volume.py:12 --if 'len(reached) > 2' --owner ada",
    "metric shop shop/pricing.py:54 total --hits 1000000",
    "count shop shop/stock.py:20 --owner ada",
    "log shop shop/basket.py:9 '{self}' --if 'nothing > 1'",
)
ASKED = (
    "shipping_cost('DE', customer.tier, grams, goods)",
    "print(customer.country, customer.tier)",
    "open('quotes.csv', 'w')",
    "customer",
)
"""What the page asks a twin."""
TWINS = (
    shlex.join(["ask", "shop", "shop/pricing.py:51", *ASKED]),
    "rerun shop shop.pricing:quote -n 3",
)
"""Orders that are answered, and over, before pictures are taken."""
STATED = ("--fails", "raises ZeroDivisionError", "--expect", 'result["total"] > 0')
FIXES = ROOT / "src" / "leadline" / "demo" / "fixes"
CANDIDATES = ("good.diff", "swallow.diff", "unrelated.diff")
LOOKED_AT = """\
--- a/shop/pricing.py
+++ b/shop/pricing.py
@@ -43 +43,4 @@
-    if voucher is not None and subtotal >= voucher.minimum:
+    if voucher is not None and not all(line.discountable for line in lines):
+        if not lines:
+            raise ValueError("an empty basket")
+    elif voucher is not None and subtotal >= voucher.minimum:
"""
"""What is verified before pictures are taken; the last looks right, and takes the discount away
from whoever has one thing without it in the basket."""
CALLS = "160"
"""Of the shop, on which they are verified: with some of each sort among them."""


@dataclass(frozen=True)
class View:
    """A picture: where, what has to be there before it is taken, and what is done first."""

    name: str
    path: str
    shows: str
    first: Callable[[Page], None] = lambda _page: None
    whole: bool = True


class Ours:
    """A command line with a home of its own, and the programs that it has started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._started: list[subprocess.Popen[str]] = []
        kept = {name: at for name, at in os.environ.items() if not name.startswith("LEADLINE_")}
        homes = {f"XDG_{name}_HOME": str(folder / name) for name in ("CONFIG", "DATA", "STATE")}
        self._environ = kept | homes | {"PYTHONUNBUFFERED": "1", "TMPDIR": str(folder)}

    def start(self, *words: str, until: str) -> list[str]:
        """Start a command and wait for a line with `until` in it; returns all until then."""
        output = self.folder / f"{words[0]}.txt"
        with output.open("w") as file:
            self._started.append(
                subprocess.Popen(
                    [LEADLINE, *words],
                    env=self._environ,
                    cwd=self.folder,
                    stdout=file,
                    stderr=file,
                    text=True,
                )
            )
        deadline = time.monotonic() + READY_S
        while until not in (text := output.read_text()):
            if self._started[-1].poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"`leadline {words[0]}` did not come up:\n{text}")
            time.sleep(0.1)
        return text.splitlines()

    def run(self, *words: str, patience_s: float = 60) -> str:
        """Run a command to its end; returns what it printed, whatever it thought of it."""
        command = [LEADLINE, *words]
        done = subprocess.run(
            command, env=self._environ, cwd=self.folder, capture_output=True, text=True,
            timeout=patience_s, check=False,
        )  # fmt: skip
        return done.stdout

    def json(self, *words: str) -> dict[str, Any]:
        """Run a command with `--json`; returns what it answers."""
        return dict(json.loads(self.run(*words, "--json")))

    def stop(self) -> None:
        """End all of them, the last first."""
        while self._started:
            program = self._started.pop()
            program.send_signal(signal.SIGINT)
            program.wait(30)


def main(words: Sequence[str]) -> None:
    """Take them all, or those whose name has `--only` in it."""
    parser = argparse.ArgumentParser("screenshots", description=__doc__)
    parser.add_argument("--only", default="", help="the views that have this in their name")
    only = parser.parse_args(words).only
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("screenshots: chromium is not installed on this machine")
    ALL.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        with _home() as ours:
            ours.start("up", "--port", "0", until="listening on")
            _take(browser, ours, "empty", EMPTY, only)
        with _home() as ours:
            ours.start("demo", until="Live hits")
            for probe in PROBES:
                ours.run(*shlex.split(probe))
            for twin in TWINS if "twin" in only or not only else ():
                ours.run(*shlex.split(twin))
            _verify(ours)
            _take(browser, ours, "busy", _busy(ours), only)
        browser.close()


def _verify(ours: Ours) -> None:
    """Run each candidate on the same calls; capturing them takes as long as the traffic has to
    run anyway."""
    until = time.monotonic() + TRAFFIC_S
    fails, expect = STATED[:2], STATED[2:]
    entry = ("capture", "shop", "shop.pricing:quote", *fails)
    ours.run(*entry, "-n", CALLS, "--for", "120s", "-o", "calls.jsonl", patience_s=180)
    looked_at = ours.folder / "fix.diff"
    looked_at.write_text(LOOKED_AT)
    for fix in (*(FIXES / name for name in CANDIDATES), looked_at):
        found = ("verify", "--captured", "calls.jsonl", "--report", *expect)
        ours.run(*found, "--patch", str(fix), patience_s=180)
    time.sleep(max(0.0, until - time.monotonic()))


@contextmanager
def _home() -> Iterator[Ours]:
    with tempfile.TemporaryDirectory(prefix="leadline-pictures-") as folder:
        ours = Ours(Path(folder))
        try:
            yield ours
        finally:
            ours.stop()


def _take(browser: Browser, ours: Ours, state: str, views: Sequence[View], only: str) -> None:
    chosen = [view for view in views if only in view.name]
    for scheme in ("light", "dark") if chosen else ():
        for width, size in (("wide", WIDE), ("narrow", NARROW)):
            link = str(ours.json("open", "--no-browser")["url"])
            context = browser.new_context(viewport=size, color_scheme=scheme, base_url=link)
            page = context.new_page()
            page.goto(link)
            page.wait_for_url("/")
            for view in chosen:
                shown = README.get(view.name) if (state, scheme, width) == IN_README else None
                _show(page, view, size)
                _keep(page, ALL / f"{state}-{view.name}-{scheme}-{width}.png")
                if shown:
                    _keep_small(page, IMAGES / f"{shown}.webp")
            context.close()


def _show(page: Page, view: View, size: ViewportSize) -> None:
    """Bring a view into the window; where it is shown whole, the window is as high as it."""
    page.set_viewport_size(size)
    page.goto("about:blank")  # to the address where one is, one does not go again
    page.goto(view.path)
    expect(page.locator(view.shows).first).to_be_visible(timeout=20_000)
    view.first(page)
    page.wait_for_timeout(400)
    if view.whole:
        height = page.evaluate("document.documentElement.scrollHeight")
        tall = max(size["height"], min(height, MOST_HEIGHT))
        page.set_viewport_size({"width": size["width"], "height": tall})


def _keep(page: Page, path: Path) -> None:
    page.screenshot(path=path)
    print(path.relative_to(ROOT), flush=True)


def _keep_small(page: Page, path: Path) -> None:
    """Write what is in the window as WebP: half the size of PNG."""
    session = page.context.new_cdp_session(page)
    taken = session.send("Page.captureScreenshot", {"format": "webp", "quality": 85})
    content = base64.b64decode(taken["data"])
    if len(content) > MOST_BYTES:
        raise SystemExit(f"{path.name} has {len(content)} bytes, more than {MOST_BYTES}")
    path.write_bytes(content)
    print(f"{path.relative_to(ROOT)}: {len(content)} bytes", flush=True)


def _press(*keys: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        for key in keys:
            page.keyboard.press(key)

    return act


def _open_form(page: Page) -> None:
    page.locator("#L51 .gutter").click()
    expect(page.locator("probe-form form")).to_be_visible()


def _point_at_probe(page: Page) -> None:
    page.locator(".line-probe .chip").first.hover()
    page.wait_for_timeout(800)


def _open_box(page: Page) -> None:
    page.keyboard.press("a")
    expect(page.get_by_role("form", name="Ask a twin")).to_be_visible()


def _ask(page: Page) -> None:
    _open_box(page)
    page.keyboard.insert_text("\n".join(ASKED))
    page.keyboard.press("Control+Enter")
    answer = page.locator("twin-ask .twin-answer")
    expect(answer).to_be_visible(timeout=30_000)
    page.locator("twin-ask").evaluate("box => box.scrollIntoView({block: 'center'})")


def _wait_long(page: Page) -> None:
    _open_box(page)
    page.keyboard.insert_text("total")
    page.get_by_label("only if").fill("total < 0")
    page.keyboard.press("Control+Enter")
    expect(page.locator("twin-ask .answer")).to_contain_text("Waiting for a hit")


def _jump(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("voucher")
    expect(page.locator(".found [role=option]").first).to_be_visible()


def _ask_to_switch_off(page: Page) -> None:
    page.get_by_role("button", name="Kill switch").click()


EMPTY = (
    View("services", "/", ".note.empty"),
    View("source", "/source", ".note.empty"),
    View("hits", "/hits", ".note.empty"),
    View("probes", "/probes", ".note.empty"),
    View("verdicts", "/verdicts", ".note.empty"),
    View("audit", "/audit", "table.audit"),
    View("keys", "/", ".note.empty", _press("?")),
    View("refused", "/probes/p999", "main"),
)


def _busy(ours: Ours) -> list[View]:
    """Return the views of the demo: what its hits and processes are called is asked first."""
    (shop,) = (one for one in ours.json("status")["services"] if one["service"] == "shop")
    instance = shop["instances"][0]["info"]["id"]
    hit = {
        probe: found[0]["id"]
        for probe in ("p1", "p2", "p5", "p6", "p10", "p11")
        if (found := ours.json("hits", "--probe", probe, "--limit", "1")["hits"])
    }
    pricing = "/services/shop/source/shop/pricing.py"
    return [
        View("services", "/", ".service tbody tr"),
        View("service", "/services/shop", ".service tbody tr"),
        View("modules", "/services/shop/source", ".modules a"),
        View("jump", "/services/shop/source", ".modules a", _jump, whole=False),
        View("source", f"{pricing}#L51", ".line-probe", whole=False),
        View("form", f"{pricing}#L51", ".line-probe", _open_form, whole=False),
        View("values", f"{pricing}#L51", ".line-probe", _point_at_probe, whole=False),
        View("twin-box", f"{pricing}#L51", ".line-probe", _open_box, whole=False),
        View("twin-asked", f"{pricing}#L51", ".line-probe", _ask, whole=False),
        View("twin-waiting", f"{pricing}#L51", ".line-probe", _wait_long, whole=False),
        View("twin-hit", f"/hits/{hit.get('p10')}", ".twin-answer"),
        View("twin-rerun", f"/hits/{hit.get('p11')}", ".twin-answer"),
        View("twin-hits", "/hits?probe=p10", "table.hits tbody tr"),
        View("twin-probe", "/probes/p10", ".panel"),
        View("twin-audit", "/audit", "table.audit"),
        View("hits", "/hits", "table.hits tbody tr", whole=False),
        View("chosen", "/hits?probe=p1&value=total+%3E+5000", "table.hits tbody tr"),
        View("none", "/hits?text=nothing+like+it", ".note.empty"),
        View("log", f"/hits/{hit.get('p1')}", "hit-code .here"),
        View("exception", f"/hits/{hit.get('p2')}", "hit-code .here"),
        View("snapshot", f"/hits/{hit.get('p6')}", "hit-code .here"),
        View("secret", f"/hits/{hit.get('p5')}", "hit-code .here"),
        View("probes", "/probes", "table.probes tbody tr"),
        View("probe-log", "/probes/p1", ".panel"),
        View("probe-timer", "/probes/p3?last=600", ".plots"),
        View("probe-metric", "/probes/p7", ".plots"),
        View("probe-counter", "/probes/p8", ".panel"),
        View("probe-silent", "/probes/p9", ".panel"),
        View("verdicts", "/verdicts", "table.verdicts tbody tr"),
        View("verdict", "/verdicts/4", ".diff .calls", whole=False),
        View("verdict-all", "/verdicts/4", ".diff .calls"),
        View("verdict-fixed", "/verdicts/1", ".diff .calls"),
        View("instance", f"/instances/{instance}", "table.packages tbody tr"),
        View("audit", "/audit", "table.audit"),
        View("keys", "/hits", "table.hits tbody tr", _press("?"), whole=False),
        View("kill-switch", "/", ".service tbody tr", _ask_to_switch_off, whole=False),
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
