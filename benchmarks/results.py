"""What was measured last, kept beside the scripts, so that single rows can be measured again.

`results.json` holds, for each interpreter, its rows with the date of each.
"""

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("results.json")


def load() -> dict[str, Any]:
    """Return everything that is kept; empty if nothing was measured yet."""
    if not FILE.exists():
        return {}
    kept: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return kept


def keep(
    about: dict[str, str], rows: dict[str, Any], versions: dict[str, str], *, quick: bool
) -> dict[str, Any]:
    """Put rows in the place of those that were there; returns everything."""
    everything = load()
    here = everything.setdefault(about["python"], {"rows": {}, "versions": {}})
    here["machine"] = {name: about[name] for name in ("machine", "system")}
    here["versions"] |= versions
    for name, values in rows.items():
        here["rows"][name] = {
            "values": values,
            "date": about["date"],
            "load": about["load"],
            "quick": quick,
        }
    FILE.write_text(json.dumps(everything, indent=1, sort_keys=True) + "\n", "utf-8")
    return everything
