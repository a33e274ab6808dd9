"""The files that one snap may use: its only way to files, so that no check can be forgotten."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from copy import copy
from typing import IO, Any

from engine.errors import DataError
from engine.run.files.bounds import check_bounds
from engine.run.files.devices import device_of
from engine.run.files.names import is_local
from engine.run.files.project import ProjectFiles
from engine.sdk.files import (
    FileAction,
    FileContent,
    FileEntry,
    FileName,
    FileTarget,
    Name,
    Purpose,
    WrittenFile,
)
from engine.sdk.settings import Evaluated, Settings, settings_of

_MAX_CLAIMS = 50_000


class Writers:
    """Which snap of a run writes which file: two would overwrite each other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._claims: dict[str, tuple[str, FileAction]] = {}

    def claim(self, located: str, label: str, action: FileAction) -> None:
        """Raises DataError if another snap has written the file, unless both append to it."""
        if is_local(located):
            if device_of(located):
                return
            located = os.path.realpath(located)
        with self._lock:
            owner, how = self._claims.setdefault(located, (label, action))
            if len(self._claims) > _MAX_CLAIMS:
                del self._claims[next(iter(self._claims))]  # the oldest
        if owner != label and not action == how == "append":
            raise DataError(
                f"cannot write the file {located!r}",
                f"the snap {owner!r} writes it in the same run",
                "give each snap its own file, or set file_action to append in both",
            )


class SnapFiles:
    """The files of a run for the snap `label`. `writers` is None if writers are not tracked."""

    def __init__(
        self, files: ProjectFiles, label: str, settings: Settings, writers: Writers | None
    ) -> None:
        self._files = files
        self._label = label
        self._written = frozenset(_strings_in(settings))
        self._writers = writers

    def locate(self, name: Name) -> str:
        return self._files.locate(self._checked(name))

    def size(self, name: Name, *, to: Purpose = "read") -> int | None:
        return self._files.size(self._checked(name), to=to)

    def read(self, name: Name) -> FileContent:
        return self._files.read(self._checked(name))

    def seekable(self, name: Name) -> IO[bytes]:
        return self._files.seekable(self._checked(name))

    def entries(self, folder: Name, pattern: str) -> Iterator[FileEntry]:
        return self._files.entries(self._checked(folder), pattern)

    def using(self, options: Mapping[str, Mapping[str, Any]]) -> SnapFiles:
        files = copy(self)
        files._files = self._files.using(options)
        return files

    def write(self, name: Name, action: FileAction, *, create_folder: bool) -> FileTarget:
        text = self._checked(name)
        if self._writers is not None:
            self._writers.claim(self._files.locate(text), self._label, action)
        return self._files.write(text, action, create_folder=create_folder)

    def check_writable(self, name: Name, written: WrittenFile) -> None:
        self._files.check_writable(self._checked(name), written)

    def check_folder(self, name: Name, written: WrittenFile) -> None:
        self._files.check_folder(self._checked(name), written)

    def check_readable(self, name: Name) -> None:
        self._files.check_readable(self._checked(name))

    def remove(self, name: Name) -> None:
        self._files.remove(self._checked(name))

    def sync(self) -> None:
        self._files.sync()

    def interrupt(self) -> None:
        self._files.interrupt()

    def _checked(self, name: Name) -> str:
        if isinstance(name, str):
            name = FileName(name, None if name in self._written else "")
        check_bounds(name, self._files.names)
        return name.text


def _strings_in(value: Any) -> Iterator[str]:
    """The strings that the author of the pipeline wrote as settings."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Evaluated):
        yield from _strings_in(value.value)
    elif isinstance(value, Settings):
        for name in settings_of(type(value)):
            yield from _strings_in(getattr(value, name))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings_in(item)
