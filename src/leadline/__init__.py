"""Leadline: runtime visibility at execution depth of running Python services.

This module is imported by the start-up hook of every interpreter that Leadline is asked to
enter, so it imports nothing itself; `start` loads the agent when it is first called.
"""

__version__ = "0.1.0"
__all__ = ["__version__", "start"]


def start(
    service: str | None = None, *, url: str | None = None, key: str | None = None
) -> bool:
    """Put the agent into this process and connect it to a server.

    Only needed where the process was not started by `leadline run` or with `LEADLINE_URL` in
    its environment. What is not given is read from `LEADLINE_SERVICE`, `LEADLINE_URL` and
    `LEADLINE_KEY`. Calling it again is harmless. Returns whether the agent is in; it is not
    when `LEADLINE_OFF` is set or this interpreter cannot carry it. Never raises.
    """
    from leadline.agent import boot  # noqa: PLC0415 - see above

    return boot.start(service=service, url=url, key=key)
