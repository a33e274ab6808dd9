"""The files of reports about a run: opened before it, so that a bad path is reported first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.errors import ConfigurationError, DataError
from engine.run.files.complete import fill, opened
from engine.sdk.files import FileTarget


@contextmanager
def report_file(
    name: str | None, option: str, *, create_folder: bool = False
) -> Iterator[Callable[[bytes], None]]:
    """Yields a function that takes the content; without a name it does nothing.

    The file appears, complete, when the block ends, and not at all if there is no content. Raises
    ConfigurationError if it cannot be written.
    """
    if name is None:
        yield lambda content: None
        return
    file = _opened(name, option, create_folder=create_folder)
    contents: list[bytes] = []
    try:
        yield contents.append
    finally:
        if contents:
            fill(file, contents[-1])
        else:
            file.discard()


def _opened(name: str, option: str, *, create_folder: bool) -> FileTarget:
    if name == "-":
        raise ConfigurationError(
            f"{option} needs the name of a file, as standard output holds other things; "
            "write ./- for a file called '-'"
        )
    try:
        return opened(name, create_folder=create_folder)
    except DataError as error:
        raise ConfigurationError(f"{option}: {error}") from None
