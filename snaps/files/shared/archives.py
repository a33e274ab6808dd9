"""Names in archives, and how much may come out of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from engine.sdk import DataError, Issue, Value, excerpt, setting

RATIO_HELP = (
    "Refuse data that decompress to more than this many times their size, beyond the first 64 MiB: "
    "zip bombs. 0: no limit."
)
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|[/\\]")


def ratio_setting() -> Any:
    return setting(default=1000, help=RATIO_HELP)


def ratio_issues(max_ratio: int) -> list[Issue]:
    if max_ratio >= 0:
        return []
    return [Issue(("max_ratio",), f"max_ratio must be 0 or more, got {max_ratio}", "use 1000")]


def bomb(summary: str, reason: object) -> DataError:
    return DataError(summary, str(reason), "if the data can be trusted, raise max_ratio")


def leads_out(name: str) -> bool:
    """Whether an entry of this name could be written outside the folder it is unpacked in."""
    readings = {name, name.replace("\\", "/"), unquote(name), unquote(name).replace("\\", "/")}
    return any(
        "\0" in reading or _ABSOLUTE.match(reading) or ".." in reading.split("/")
        for reading in readings
    )


def entry_name(location: Value) -> str:
    """The name of an entry for a file: of an absolute path or URL, its last part.

    Raises DataError if the entry could not be unpacked safely.
    """
    name = location if isinstance(location, str) else ""
    if not name.strip("/"):
        raise DataError(
            "cannot add the stream to the archive",
            f"the name of its entry is {excerpt(location)}",
            "make the name a string that is not empty",
        )
    if _ABSOLUTE.match(name):
        name = re.split(r"[/\\]", name.split("?")[0].rstrip("/"))[-1]
    name = name.removeprefix("./")
    if leads_out(name) or not name:
        raise DataError(
            "cannot add the stream to the archive",
            f"the name of its entry {name!r} leads out of the archive",
            "use a relative name without '..'",
        )
    return name


class ForwardFile:
    """A file that can only be written forward, by `write`; zipfile takes it."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def write(self, data: bytes) -> int:
        self._write(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Whoever made it closes what is behind it."""
