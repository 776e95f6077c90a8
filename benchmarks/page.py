"""Writes the tables of docs/performance.md, between two marks, from what was measured."""

from pathlib import Path
from typing import Any

from benchmarks.figures import ROWS, Row
from benchmarks.figures.pause import FOR_EVER
from benchmarks.subjects import SUBJECTS

PAGE = Path(__file__).parents[1] / "docs/performance.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
_COLUMNS = [name for name in SUBJECTS if not name.startswith("nothing,") and name != "nothing"]
_SECOND = "nothing, a second process"

WHY_NATIVE: dict[str, str] = {
    "condition": "what is asked for is not among what is evaluated in C",
    "counter": "the way into a callback of the interpreter's and out again is all of it",
    "log": "two values are read, written as JSON and put into the ring",
    "snapshot": "eight frames with their variables, three levels deep, are written as JSON",
}
"""As `WHY`, for the core in C where it has another reason."""
WHY: dict[str, str] = {
    "condition": "the way into a callback written in Python and out again is most of it",
    "counter": "a callback written in Python takes about a microsecond before it does anything",
    "log": "values are captured to bytes in Python",
    "snapshot": "the walk through values and frames is in Python",
    "over": "what is left is within the noise of a window",
    "pause": "the longest call is a snapshot of the hostile values: the limit on its time is "
    "looked at between two pieces of it",
    "placing": "the server, the service and the client share two cores with whatever else ran",
    "command": "starting the interpreter and the command takes most of it",
    "start": "the interpreter has to read and run the agent's modules",
    "memory": "the modules of the standard library that the agent needs are counted as its own",
    "idle": "two processes of one program differ as much",
    "cold": "two windows of the same function differ as much",
}
"""Why a goal is missed, where it is; the page says by how much."""


def write(everything: dict[str, Any]) -> None:
    """Replace what stands between the marks."""
    text = PAGE.read_text("utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{PAGE} has lost its marks")
    PAGE.write_text(f"{before}{begin}\n\n{render(everything)}\n{end}{after}", "utf-8")


def render(everything: dict[str, Any]) -> str:
    """Return the tables as Markdown, the newest interpreter first."""
    newest = sorted(everything, key=_version, reverse=True)
    return "\n".join(_tables(python, everything[python]) for python in newest)


def _version(python: str) -> tuple[int, ...]:
    return tuple(int(part) for part in python.rsplit(maxsplit=1)[-1].split("."))


def _tables(python: str, here: dict[str, Any]) -> str:
    rows = here["rows"]
    dates = sorted(row["date"] for row in rows.values())
    lines = [
        f"## {python}",
        "",
        (
            f"{here['machine']['machine']}; {here['machine']['system']}; "
            f"measured {_dates(dates)}{_quick(rows)}."
        ),
        "",
    ]
    if versions := _said(here):
        listed = "; ".join(f"{name} {said}" for name, said in versions)
        lines += [f"Versions: {listed}.", ""]
    if _table_rows(rows):
        lines += [*_table(rows), "", *_noise(rows), *_verdicts(rows), ""]
    for extra in (_first_probe, _placing, _pauses, _kinds, _requests, _budget):
        lines += extra(rows)
    return "\n".join(lines)


def _table(rows: dict[str, Any]) -> list[str]:
    columns = [
        name for name in _COLUMNS if any(name in row["values"] for row in _table_rows(rows))
    ]
    lines = [
        "| figure | goal | " + " | ".join(columns) + " |",
        "|---" * (len(columns) + 2) + "|",
    ]
    for row in ROWS:
        if row.name in rows:
            values = rows[row.name]["values"]
            cells = [_cell(row, values.get(name)) for name in columns]
            lines.append(f"| {row.title} | {row.goal_text} | " + " | ".join(cells) + " |")
    return lines


def _table_rows(rows: dict[str, Any]) -> list[dict[str, Any]]:
    return [rows[row.name] for row in ROWS if row.name in rows]


def _dates(dates: list[str]) -> str:
    first, last = dates[0], dates[-1]
    return first if first == last else f"{first} to {last}"


def _quick(rows: dict[str, Any]) -> str:
    few = sorted(name for name, row in rows.items() if row["quick"])
    return f"; with few samples (QUICK=1): {', '.join(few)}" if few else ""


def _said(here: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (name, said)
        for name, said in here["versions"].items()
        if said and not name.startswith("nothing")
    ]


def _cell(row: Row, value: list[float] | None) -> str:
    if value is None:
        return "–"
    middle, low, high = value
    if middle == FOR_EVER:
        return "for ever"
    if row.unit == "ratio":
        return f"{middle:.3f} × ({low:.3f} to {high:.3f})"
    return f"{_number(middle)} {_unit(row.unit)} ({_number(low)} to {_number(high)})"


def _unit(unit: str) -> str:
    return {"us": "µs"}.get(unit, unit)


def _number(value: float) -> str:
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def _noise(rows: dict[str, Any]) -> list[str]:
    value = rows["idle"]["values"].get(_SECOND) if "idle" in rows else None
    if value is None:
        return []
    middle, low, high = value
    return [
        (
            f"One of two processes without any tool is at {middle:.3f} × ({low:.3f} to "
            f"{high:.3f}) of their mean: that is the noise in the row of the idle tool."
        ),
        "",
    ]


def _verdicts(rows: dict[str, Any]) -> list[str]:
    lines = []
    for row in ROWS:
        for name in ("leadline", "leadline, pure Python"):
            value = rows[row.name]["values"].get(name) if row.name in rows else None
            if value is None or row.goal is None:
                continue
            if missed := _missed(row, value, rows):
                why = (WHY_NATIVE if name == "leadline" else {}).get(row.name, WHY[row.name])
                lines.append(f"- {row.title}, {name}: {missed}; {why}.")
    if not lines:
        return ["Every goal is met."]
    return ["Goals that are missed:", "", *lines]


def _missed(row: Row, value: list[float], rows: dict[str, Any]) -> str:
    """Say by how much a goal is missed; nothing if it is met."""
    middle, low, high = value
    if row.unit != "ratio":
        return "" if middle <= row.goal else f"missed by {middle / row.goal:.2g} ×"  # type: ignore[operator]
    noise = rows["idle"]["values"].get(_SECOND, [1.0, 0.99, 1.01]) if "idle" in rows else None
    margin = max(0.01, abs(noise[0] - 1), noise[2] - 1, 1 - noise[1]) if noise else 0.01
    if low <= 1.0 <= high or middle <= 1 + margin:
        return ""
    return f"{(middle - 1) * 100:.1f} % slower, which is more than the noise"


def _first_probe(rows: dict[str, Any]) -> list[str]:
    cpu = rows.get("start", {}).get("values", {}).get("leadline, with a first probe")
    memory = rows.get("memory", {}).get("values", {}).get("leadline, with a first probe")
    if not cpu or not memory:
        return []
    return [
        (
            f"With a first probe from the start, which brings the rest of the agent in: "
            f"{_number(cpu[0])} ms ({_number(cpu[1])} to {_number(cpu[2])}) and "
            f"{_number(memory[0])} MB."
        ),
        "",
    ]


def _placing(rows: dict[str, Any]) -> list[str]:
    if "placed" not in rows:
        return []
    lines = ["| milliseconds | median | 95th percentile | longest |", "|---|---|---|---|"]
    for name, values in rows["placed"]["values"].items():
        lines.append(f"| {name.strip()} | " + " | ".join(f"{one:.0f}" for one in values) + " |")
    return [*lines, ""]


def _pauses(rows: dict[str, Any]) -> list[str]:
    if "pauses" not in rows:
        return []
    lines = ["| longest single call, ms | what | of |", "|---|---|---|"]
    for subject, cases in rows["pauses"]["values"].items():
        for case, (middle, low, high) in cases.items():
            shown = f"{_number(middle)} ({_number(low)} to {_number(high)})"
            lines.append(f"| {shown} | {case} | {subject} |")
    return [*lines, ""]


def _kinds(rows: dict[str, Any]) -> list[str]:
    if "kinds" not in rows:
        return []
    lines = ["| what one passage costs more | µs |", "|---|---|"]
    for name, (middle, low, high) in rows["kinds"]["values"].items():
        lines.append(f"| {name} | {_number(middle)} ({_number(low)} to {_number(high)}) |")
    return [*lines, ""]


def _requests(rows: dict[str, Any]) -> list[str]:
    if "requests" not in rows:
        return []
    seen = rows["requests"]["values"]
    lines = [
        (
            "| a service of Flask and SQLite | requests a second | ratio | CPU a request "
            "| ratio | beside |"
        ),
        "|---|---|---|---|---|---|",
    ]
    for name, load in seen["loads"].items():
        speed, cpu = load["speed"], load["cpu"]
        lines.append(
            f"| {name} | {load['per_s']:.0f} | {_ratio(speed)} | {load['cpu_us']:,.0f} µs"
            f" | {_ratio(cpu)} | {load['beside']:.2f} % of a core |"
        )
    return [*lines, "", seen["told"], ""]


def _budget(rows: dict[str, Any]) -> list[str]:
    if "budget" not in rows:
        return []
    seen = rows["budget"]["values"]
    lines = [
        "| hottest loop of a service under load | p99, ms | ratio | p99 of CPU, ms | ratio |",
        "|---|---|---|---|---|",
    ]
    for name, (wall, ratio, own, own_ratio) in seen["phases"].items():
        cells = [_number(wall[0]), _ratio(ratio), _number(own[0]), _ratio(own_ratio)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return [*lines, "", seen["told"], ""]


def _ratio(value: list[float]) -> str:
    return f"{value[0]:.3f} × ({value[1]:.3f} to {value[2]:.3f})"
