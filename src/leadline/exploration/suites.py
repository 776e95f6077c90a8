"""Whose test suites are explored: sources from the package index, and what their tests need."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Suite:
    """One project's own tests.

    `source` is a source distribution, `package` what every line of is probed, `needs` are
    requirements of the tests, `arguments` go to pytest. `explained` says of tests, by a part of
    their names, why their outcome may depend on how fast the machine is.
    """

    source: str
    package: str
    needs: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    explained: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The project's name, without its version."""
        return self.source.partition("==")[0]


_MEASURES = "asserts how long something takes"
_KEEPS = (
    "counts `__subclasses__()`, where a class whose instances were captured stays until no "
    "probe is left: a limit that S2 in docs/safety.md states"
)

SUITES = (
    Suite("isso==0.14.0", "isso"),
    Suite(
        "sqlparse==0.6.1", "sqlparse",
        explained={"test_dos_prevention": _MEASURES},
    ),
    Suite("jinja2==3.1.6", "jinja2", needs=("trio",)),
    Suite("click==8.5.1", "click"),
    Suite(
        "httpx==0.28.1", "httpx",
        needs=(
            "httpx[brotli,cli,http2,socks,zstd]", "anyio", "trio", "uvicorn", "trustme",
            "chardet", "cryptography",
        ),
        arguments=("-m", "not network"),
    ),
    Suite(
        "attrs==26.1.0", "attr",
        needs=("cloudpickle", "hypothesis", "pympler"),
        explained={
            "test_no_references_to_original": _KEEPS,
            "TestAsDict::test_recurse": _MEASURES,
        },
    ),
    Suite("flask==3.1.3", "flask", needs=("asgiref", "greenlet", "python-dotenv")),
    Suite(
        "werkzeug==3.1.9", "werkzeug",
        needs=("cryptography", "ephemeral-port-reserve", "pytest-timeout", "watchdog"),
        arguments=("-m", "not dev_server"),
        explained={"test_chained_exception_cycle": _MEASURES},
    ),
)  # fmt: skip
"""The first is a service with its own server and database; the others are what services are
made of. Each pins its version, so that a report can be made again."""
