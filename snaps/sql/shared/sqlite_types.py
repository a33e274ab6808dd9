"""Values of SQLite columns whose declared type SQLite itself does not have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any


def _read(parse: Callable[[str], Any]) -> Callable[[bytes], Any]:
    """A column may hold anything: what is not of its declared type stays as it is."""

    def converter(data: bytes) -> Any:
        text = data.decode(errors="replace")
        try:
            return parse(text)
        except ValueError:
            return text

    return converter


def _boolean(text: str) -> bool:
    if text in ("0", "1"):
        return text == "1"
    raise ValueError(text)


CONVERTERS: Mapping[str, Callable[[bytes], Any]] = {
    "DATE": _read(date.fromisoformat),
    "DATETIME": _read(datetime.fromisoformat),
    "TIMESTAMP": _read(datetime.fromisoformat),
    "TIME": _read(time.fromisoformat),
    "BOOLEAN": _read(_boolean),
}
"""By the first word of the type, in upper case."""
