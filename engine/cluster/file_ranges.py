"""Files of which the workers read parts themselves, instead of getting the text sent.

The snap that reads such a file runs where it always does, and opens it, but passes on one
`FileRange` in place of its bytes. A range is cut anywhere: a line belongs to the part in which it
begins. Which line of the file that is takes counting all lines before it, so nobody asks unless a
line has a mistake.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from pathlib import Path

from engine.errors import ExecutionError
from engine.plan.accounts import Accounts
from engine.run.files import ProjectFiles
from engine.run.files.failures import failure
from engine.run.files.names import errors_of, is_local
from engine.run.files.reading import guessed_type
from engine.run.services import Guard, Outside
from engine.sdk.files import FileContent
from engine.sdk.http import HttpClient
from engine.sdk.scripts import ScriptExecutor

_PIECE = 256 << 10


class FileRange(bytes):
    """Stands for all bytes of a file, of which it holds none."""

    path: str
    size: int

    @classmethod
    def of(cls, path: str, size: int) -> FileRange:
        made = cls()
        made.path, made.size = path, size
        return made


class RangedFiles(ProjectFiles):
    """Files of which the local ones are read as a FileRange."""

    def __init__(self, files: ProjectFiles) -> None:
        self.__dict__.update(files.__dict__)

    def read(self, name: str) -> FileContent:
        located = self.locate(name)
        if not is_local(located):
            return super().read(name)
        try:
            with Path(located).open("rb") as file:
                found = os.fstat(file.fileno())
        except errors_of(located) as error:
            raise failure("read", located, error) from error
        if not (stat.S_ISREG(found.st_mode) and found.st_size):
            return super().read(name)
        pieces = iter([FileRange.of(located, found.st_size)])
        return FileContent(pieces, found.st_size, guessed_type(located))


class _RangedOutside:
    """What a snap may reach, with files as ranges."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self.files: ProjectFiles = RangedFiles(outside.files)

    @property
    def http(self) -> HttpClient:
        return self._outside.http

    @property
    def scripts(self) -> ScriptExecutor:
        return self._outside.scripts

    @property
    def accounts(self) -> Accounts:
        return self._outside.accounts


def ranged_for(labels: Collection[str]) -> Guard:
    """Lets the snaps of these labels read files as ranges."""
    return lambda label, outside: _RangedOutside(outside) if label in labels else outside


class LineFile:
    """Reads parts of files, at the worker. Raises ExecutionError if a file has changed."""

    def __init__(self) -> None:
        self._path = ""
        self._descriptor = -1
        self._counted = (0, 0)

    def lines(self, path: str, start: int, end: int) -> tuple[bytes, int]:
        """The lines that begin in this part of the file, and where the first one does."""
        self._open(path)
        before = start - 1 if start else 0
        text = self._read(before, end - before)
        first = text.find(b"\n") + 1 if start else 0
        if start and not first:
            return b"", end
        if first == len(text):
            return b"", end
        pieces = [text[first:] if first else text]
        at = end
        while not pieces[-1].endswith(b"\n") and (piece := os.pread(self._descriptor, _PIECE, at)):
            cut = piece.find(b"\n") + 1
            pieces.append(piece[:cut] if cut else piece)
            at += len(pieces[-1])
        return b"".join(pieces), before + first

    def line_at(self, path: str, offset: int) -> int:
        """How many lines end before the offset."""
        self._open(path)
        known, lines = self._counted
        if known > offset:
            known = lines = 0
        while known < offset:
            piece = self._read(known, min(_PIECE, offset - known))
            lines += piece.count(b"\n")
            known += len(piece)
        self._counted = known, lines
        return lines

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self, path: str) -> None:
        if path == self._path and self._descriptor >= 0:
            return
        self.close()
        try:
            self._descriptor = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise ExecutionError(
                f"a worker cannot read the file {path!r}: {error.strerror or error}"
            ) from error
        self._path, self._counted = path, (0, 0)

    def _read(self, start: int, count: int) -> bytes:
        try:
            text = os.pread(self._descriptor, count, start)
        except OSError as error:
            raise ExecutionError(
                f"a worker cannot read the file {self._path!r}: {error.strerror or error}"
            ) from error
        if len(text) < count:
            raise ExecutionError(
                f"the file {self._path!r} became shorter while it was read",
                "let the program that writes it finish first",
            )
        return text
