"""A set of probes as a file: TOML in which every member is an option of the command line.

service = "shop"                    # or in each probe
set = "checkout"                    # default: the file's name

[[probe]]
name = "totals"
kind = "log"                        # log, snap, count, metric, time, catch
target = "shop/pricing.py:51"
template = "{customer.tier}: {total}"
if = "total > 1000"
ttl = "2h"
"""

import argparse
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Never

from leadline.cli.inline_probe import WORDS
from leadline.cli.placing import EVERY_SERVICE, add_placing, order_of
from leadline.cli.probe_word import ProbeWord, add_probe_options
from leadline.wire.errors import LeadlineError, UnavailableError, UsageError
from leadline.wire.service import check_service
from leadline.wire.struct import dataclass

MAX_FILE_BYTES = 2_000_000
"""A thousand probes, the most that a service may have, are some hundred thousand."""
_WORD_OF_KIND = {word.kind.value: word for word in WORDS.values()}
_NOT_OPTIONS = ("name", "kind", "service", "target", "template", "expression")


@dataclass(frozen=True, slots=True)
class Set:
    """What one file wants one service to carry: orders as the server takes them, by name."""

    service: str
    name: str
    orders: dict[str, dict[str, Any]]


def read_sets(path: Path) -> list[Set]:
    """Return the sets of a file, one for each service in it.

    Raises `UsageError` (slug `bad-probe-file`, or what is wrong with a probe, with its name)
    and `UnavailableError` (`no-probe-file`).
    """
    content = _read(path)
    unknown = set(content) - {"service", "set", "probe", "owner"}
    if unknown:
        raise _bad(path, f"it has {_listed(unknown)}, which nothing knows")
    tables = content.get("probe", [])
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        raise _bad(path, "its probes are not tables: each begins with [[probe]]")
    name = content.get("set", path.stem)
    sets: dict[str, Set] = {}
    if service := content.get("service"):
        sets[str(service)] = Set(_service(path, service), str(name), {})
    for number, table in enumerate(tables, 1):
        service = table.get("service", content.get("service"))
        called = table.get("name")
        where = f"the probe {called!r}" if called else f"probe {number}"
        if not isinstance(called, str):
            raise _bad(path, f"{where} needs a name")
        if service is None:
            raise _bad(path, f"{where} has no service; write service = ... above all probes")
        of = sets.setdefault(str(service), Set(_service(path, service), str(name), {}))
        if called in of.orders:
            raise _bad(path, f"two probes are named {called!r}")
        of.orders[called] = _order(path, where, {"owner": content.get("owner"), **table})
    return list(sets.values())


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.exists() and not path.is_file():
            raise _bad(path, "it is no file")
        with open(path, "rb") as file:
            text = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UnavailableError(
            "no-probe-file", f"{path} cannot be read: {error.strerror}."
        ) from error
    if len(text) > MAX_FILE_BYTES:
        raise _bad(path, f"it has more than {MAX_FILE_BYTES:,} bytes")
    try:
        return tomllib.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _bad(path, f"it is not TOML: {error}") from error


def _service(path: Path, service: object) -> str:
    if not isinstance(service, str):
        raise _bad(path, f"{service!r} is not the name of a service")
    return service if service == EVERY_SERVICE else check_service(service)


def _order(path: Path, where: str, table: Mapping[str, Any]) -> dict[str, Any]:
    kind = table.get("kind")
    word = WORDS.get(str(kind)) or _WORD_OF_KIND.get(str(kind))
    if word is None:
        raise _bad(path, f"{where} has no kind; write one of {', '.join(WORDS)}")
    parser = _Parser(path, where)
    add_probe_options(parser, word)
    add_placing(parser)
    words = list(_words(path, where, word, table, parser))
    try:
        return order_of(word, parser.parse_args(words))
    except argparse.ArgumentError as error:
        parser.error(str(error))
    except LeadlineError as error:
        if error.slug == "bad-probe-file":
            raise
        raise UsageError(error.slug, f"{path}, {where}: {error.message}", error.hint) from error


def _words(
    path: Path,
    where: str,
    word: ProbeWord,
    table: Mapping[str, Any],
    parser: argparse.ArgumentParser,
) -> Iterator[str]:
    """Yield the table as the words of a command line."""
    options = parser._option_string_actions  # noqa: SLF001 - argparse has no way to ask
    for name, value in table.items():
        if name in _NOT_OPTIONS or value is None:
            continue
        if f"--{name}" not in options:
            raise _bad(path, f"{where} has {name!r}, which no {word.name} probe takes")
        flag = options[f"--{name}"].nargs == 0
        for one in _values(value):
            if flag != isinstance(one, bool) and not (name == "canary" and one is True):
                raise _bad(path, f"{where}: {name} cannot be {one!r}")
            if one is True:
                yield f"--{name}"
            elif one is not False:
                yield f"--{name}={one}"
    yield "--"
    for name in ("target", "template", "expression"):
        if name in table:
            if not isinstance(table[name], str):
                raise _bad(path, f"{where}: {name} is not a text")
            yield table[name]


def _values(value: object) -> list[object]:
    if isinstance(value, dict):
        return [f"{name}={one}" for name, one in value.items()]
    return value if isinstance(value, list) else [value]


class _Parser(argparse.ArgumentParser):
    def __init__(self, path: Path, where: str) -> None:
        super().__init__(add_help=False, exit_on_error=False, allow_abbrev=False)
        self._path, self._where = path, where

    def error(self, message: str) -> Never:
        message = message.replace("argument --", "").replace("PLACE", "target")
        raise _bad(self._path, f"{self._where}: {message}")


def _bad(path: Path, what: str) -> UsageError:
    return UsageError(
        "bad-probe-file",
        f"{path} cannot be applied: {what}.",
        "docs/commands.md shows such a file under `leadline apply`.",
    )


def _listed(words: set[str]) -> str:
    return ", ".join(repr(word) for word in sorted(words))
