"""Files of which the workers read parts themselves, instead of getting the text sent.

The snap that reads such a file runs where it always does, and opens it, but passes on one
`FileRange` in place of its bytes. The coordinator looks only at the places where it is cut. Which
line of the file is at such a place takes counting all lines before it, so nobody asks unless a line
has a mistake, or a worker does not see the file and gets its text (engine.cluster.range_texts).
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
_PROBE = 4 << 10


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


class OpenFile:
    """The file that is read at the moment. Raises ExecutionError if it cannot be read."""

    def __init__(self) -> None:
        self._path = ""
        self._descriptor = -1
        self._counted = (0, 0)

    def read(self, path: str, start: int, end: int) -> bytes:
        self._open(path)
        text = self._read(start, end - start)
        if len(text) < end - start:
            raise ExecutionError(
                f"the file {path!r} became shorter while it was read",
                "let the program that writes it finish first",
            )
        return text

    def line_after(self, path: str, offset: int) -> int:
        """Where the first line begins that begins after the offset: perhaps at the end."""
        self._open(path)
        while piece := self._read(offset, _PROBE):
            found = piece.find(b"\n") + 1
            offset += found or len(piece)
            if found:
                break
        return offset

    def lines_before(self, path: str, offset: int) -> int:
        """How many lines end before the offset."""
        self._open(path)
        known, lines = self._counted
        if known > offset:
            known = lines = 0
        self._counted = offset, lines + self.lines_between(path, known, offset)
        return self._counted[1]

    def lines_between(self, path: str, start: int, end: int) -> int:
        """How many lines end there."""
        self._open(path)
        lines = 0
        while start < end and (piece := self._read(start, min(_PIECE, end - start))):
            lines += piece.count(b"\n")
            start += len(piece)
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
            raise _unreadable(path, error) from error
        self._path, self._counted = path, (0, 0)

    def _read(self, start: int, count: int) -> bytes:
        try:
            return os.pread(self._descriptor, count, start)
        except OSError as error:
            raise _unreadable(self._path, error) from error


def _unreadable(path: str, error: OSError) -> ExecutionError:
    return ExecutionError(f"cannot read the file {path!r}: {error.strerror or error}")
