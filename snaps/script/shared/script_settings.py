"""The settings that all snaps with scripts share: what they mean, and how they are checked."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from engine.sdk import ConfigurationError, Issue, parse_size

_LEAST_MEMORY = 1 << 20


def script_issues(
    script: str, source: str, timeout: float | None, memory: int | str | None
) -> Iterator[Issue]:
    """The mistakes in the settings of these names."""
    if script and source:
        yield Issue(("source",), "script and source are both set", "set either script or source")
    if timeout is not None and timeout <= 0:
        message = f"timeout must be greater than 0, got {timeout}"
        yield Issue(("timeout",), message, "write a number of seconds, or leave it out")
    if memory is not None:
        try:
            size = parse_size(memory)
        except ValueError as error:
            yield Issue(("memory",), str(error))
            return
        if size < _LEAST_MEMORY:
            message = f"memory must be at least 1 MiB, got {size} bytes"
            yield Issue(("memory",), message, f"write a unit, such as '{size} MiB'")


def memory_limit(memory: int | str | None) -> int | None:
    """The setting `memory` in bytes."""
    return None if memory is None else parse_size(memory)


def variables(names: Iterable[str]) -> dict[str, str]:
    """The environment variables that the pipeline gives the script. Raises ConfigurationError."""
    missing = [name for name in names if name not in os.environ]
    if missing:
        raise ConfigurationError(
            f"the environment variable {missing[0]!r} is not set, but the setting env names it; "
            "set it where the engine is started, or remove it from env"
        )
    return {name: os.environ[name] for name in names}


def executor_issues(address: str) -> Iterator[Issue]:
    """What is wrong with the setting `executor`; it may be empty."""
    host, colon, port = address.rpartition(":")
    is_valid = host and colon and port.isdecimal() and 0 < int(port) < 65536
    if address and not is_valid:
        yield Issue(
            ("executor",),
            f"{address!r} is not an address",
            "write host:port, for example localhost:5301",
        )
