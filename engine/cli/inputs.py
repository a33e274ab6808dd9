"""Reads the documents of `--input`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from engine.documents import Item
from engine.errors import ConfigurationError, DataError, ExecutionError

_CHUNK = 64 * 1024


def documents_of(name: str) -> Iterator[list[Item]]:
    """The documents of a file, or of standard input (`-`), read as they are consumed.

    Raises ConfigurationError if the file cannot be opened.
    """
    try:
        file = sys.stdin.buffer if name == "-" else Path(name).open("rb")  # noqa: SIM115
    except OSError as error:
        raise ConfigurationError(f"--input: cannot read {name!r}: {error.strerror}") from error
    return _documents(file, name)


def _documents(file: BinaryIO, name: str) -> Iterator[list[Item]]:
    """The documents of a stream of JSON, as JSONParser reads it."""
    from engine.sdk import JsonReader  # most runs do not read JSON this way

    def fail(error: DataError) -> NoReturn:
        raise ExecutionError(f"--input {name!r}: {error}") from None

    reader = JsonReader()

    def good(values: list[Any]) -> Iterator[list[Item]]:
        """The documents before the first that cannot be read, which ends the run."""
        error = reader.error
        if reader.has_errors:
            place = next(i for i, value in enumerate(values) if isinstance(value, DataError))
            values, error = values[:place], values[place]
        yield values
        if error is not None:
            fail(error)

    try:
        with file:
            while chunk := os.read(file.fileno(), _CHUNK):
                yield from good(reader.feed(chunk))
        yield from good(reader.end())
    except DataError as error:
        fail(error)
    except OSError as error:
        raise ExecutionError(f"--input: cannot read {name!r}: {error.strerror}") from error
