"""The documentation as data: pages, fenced blocks, tables, headings and links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SOURCE = ROOT / "src" / "leadline"

_FENCE = re.compile(r"^(```+)\s*(\S*)\s*(.*)$")
_HEADING = re.compile(r"^(#+) (.+)$")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CELL = re.compile(r"(?<!\\)\|")


def pages() -> list[Path]:
    """Return every page that a reader can come to."""
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]


def name(path: Path) -> str:
    """Return how a failed test names a page."""
    return str(path.relative_to(ROOT))


@dataclass(frozen=True)
class Block:
    """One fenced block. `file` is what its first line says behind the language."""

    language: str
    file: str
    lines: tuple[str, ...]
    line: int


def blocks(path: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page, in order."""
    fence, opened, inside = "", (), list[str]()
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        found = _FENCE.match(line)
        if not fence and found:
            fence, *opened = found.groups()
            opened.append(number)
            inside = []
        elif fence and line.strip() == fence:
            language, file, began = opened
            yield Block(language, file, tuple(inside), began)
            fence = ""
        elif fence:
            inside.append(line)
    assert not fence, f"{name(path)}: a block is never closed"


def prose(path: Path) -> list[str]:
    """Return the lines of a page that stand outside of fenced blocks."""
    fence, lines = "", []
    for line in path.read_text("utf-8").splitlines():
        found = _FENCE.match(line)
        if found and not fence:
            fence = found[1]
        elif fence:
            fence = "" if line.strip() == fence else fence
        else:
            lines.append(line)
    return lines


def sections(path: Path, level: int = 2) -> dict[str, str]:
    """Return the text under each heading of a level."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in prose(path):
        heading = _HEADING.match(line)
        if heading and len(heading[1]) <= level:
            current = found.setdefault(heading[2], []) if len(heading[1]) == level else []
        else:
            current.append(line)
    return {title: "\n".join(lines) for title, lines in found.items()}


def rows(text: str) -> list[list[str]]:
    """Return the cells of every table row in a text, headers included, rulers not."""
    found = []
    for line in text.splitlines():
        if line.startswith("|") and not set(line) <= set("|- :"):
            cells = _CELL.split(line.strip().strip("|"))
            found.append([cell.strip().replace("\\|", "|") for cell in cells])
    return found


def links(path: Path) -> list[str]:
    """Return where a page points to."""
    return [target for line in prose(path) for target in _LINK.findall(line)]


def anchors(path: Path) -> set[str]:
    """Return the headings of a page as GitHub makes addresses of them."""
    found = set()
    for line in prose(path):
        if heading := _HEADING.match(line):
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[2]).lower()
            found.add(re.sub(r"[^\w\- ]", "", text).replace(" ", "-"))
    return found
