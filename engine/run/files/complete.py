"""Writes files that appear only when they are complete, whatever happens on the way."""

from __future__ import annotations

from pathlib import Path

from engine.errors import ConfigurationError, DataError
from engine.run.files.project import ProjectFiles
from engine.sdk.files import FileTarget


def write_complete(path: Path, content: bytes) -> None:
    """Write a file, and make its folder if need be. Raises ConfigurationError."""
    try:
        fill(opened(str(path), create_folder=True), content)
    except DataError as error:
        raise ConfigurationError(str(error)) from None


def opened(name: str, *, create_folder: bool = False) -> FileTarget:
    """A file to write, relative to the current folder. Raises DataError."""
    files = ProjectFiles(str(Path.cwd()), ".")
    return files.write(name, "overwrite", create_folder=create_folder)


def fill(file: FileTarget, content: bytes) -> None:
    """Write the content of a file and finish it, or leave nothing behind."""
    try:
        file.write(content)
        file.commit()
    except BaseException:  # raised again once nothing of it is left
        file.discard()
        raise
