"""Draws the text on standard input as a terminal window (SVG) on standard output.

For the README: `leadline demo --seconds 6 | python tools/terminal_picture.py > picture.svg`.
Commands (lines that begin with `$`) and hits are coloured; long lines are cut.
"""

import html
import re
import sys

COLUMNS, LINES = 112, 42
CHAR_W, LINE_H, MARGIN = 7.8, 18, 18
BACKGROUND, BAR, TEXT, DIM = "#11171f", "#1b2430", "#d5dde6", "#7c8a99"
COMMAND, TIME, PLACE, WARNING = "#7fd1b9", "#7c8a99", "#8ab4f8", "#f2b56b"
HIT = re.compile(r"^(\d\d:\d\d:\d\d\.\d{3})  (\S+)  (\S+)  (.*)$")


def main() -> None:
    lines = [line.rstrip("\n") for line in sys.stdin][:LINES]
    width = COLUMNS * CHAR_W + 2 * MARGIN
    height = (len(lines) + 1) * LINE_H + 2 * MARGIN + 10
    out = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
            'role="img" aria-label="leadline demo in a terminal">'
        ),
        f'<rect width="100%" height="100%" rx="10" fill="{BACKGROUND}"/>',
        f'<rect width="100%" height="28" rx="10" fill="{BAR}"/>',
        (
            '<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="13" '
            f'fill="{TEXT}" xml:space="preserve">'
        ),
    ]
    for number, line in enumerate(lines):
        y = 28 + MARGIN + (number + 0.6) * LINE_H
        out.append(f'<text x="{MARGIN}" y="{y:.0f}">{coloured(line)}</text>')
    print("\n".join([*out, "</g>", "</svg>"]))


def coloured(line: str) -> str:
    line = line if len(line) <= COLUMNS else line[: COLUMNS - 1] + "…"
    if hit := HIT.match(line):
        when, who, place, message = map(html.escape, hit.groups())
        fill = WARNING if "FAIL" in message else TEXT
        return (
            f'<tspan fill="{TIME}">{when}  {who}</tspan>  <tspan fill="{PLACE}">{place}</tspan>'
            f'  <tspan fill="{fill}">{message}</tspan>'
        )
    fill = COMMAND if line.lstrip().startswith(("$", "./", ".venv")) else TEXT
    fill = DIM if line.startswith("  ") and fill is TEXT else fill
    return f'<tspan fill="{fill}">{html.escape(line)}</tspan>'


if __name__ == "__main__":
    main()
