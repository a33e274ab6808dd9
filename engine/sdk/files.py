"""Files from a snap's point of view: names with their author, contents, files being written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import IO, Any, Literal, Protocol

import msgspec

from engine.sdk.settings import Evaluated

FileAction = Literal["overwrite", "append", "ignore", "error"]
Purpose = Literal["read", "write", "delete"]


class FileName(msgspec.Struct, frozen=True):
    """A file's name, as computed from a setting for a document.

    `literal` is the beginning that the pipeline's author wrote; the rest comes from data and must
    not lead out of the folder of that beginning. None: the author wrote all of it.
    """

    text: str
    literal: str | None = None

    def __str__(self) -> str:
        return self.text

    def inside(self, name: str) -> FileName:
        """The file of that name in this folder."""
        joint = "" if self.text.endswith("/") else "/"
        return FileName(f"{self.text}{joint}{name}", self.literal)

    def beside(self, suffix: str) -> FileName:
        """The file with this name plus `suffix`."""
        return FileName(f"{self.text}{suffix}", self.literal)


Name = FileName | str
"""A plain string counts as data, unless it appears literally in the settings of the snap."""


class WrittenFile(msgspec.Struct, frozen=True):
    """A setting, at `path` of a snap's settings, that names a file or folder that the snap writes.

    `shared`: other snaps of the run may also write it, if they declare it as shared. The rest tells
    the runtime what the snap does about a file that exists, and whether it creates missing folders
    (the file itself, if that `is_folder`), so that a run warns at its start of what it could not
    write. `allow_outside`: data in the name may lead out of its folder.
    """

    path: tuple[str | int, ...]
    name: Evaluated[str]
    shared: bool = False
    action: FileAction = "overwrite"
    is_folder: bool = False
    creates_folder: bool = False
    allow_outside: bool = False


class ReadFile(msgspec.Struct, frozen=True):
    """A setting, at `path` of a snap's settings, that names a file that the snap reads.

    Without it, a run starts with a warning, or not at all if the snap certainly reads it; unless
    something in the pipeline may create it, or the snap `retries`.
    """

    path: tuple[str | int, ...]
    name: Evaluated[str]
    retries: bool = False


class FileContent:
    """An open file: iterate over its bytes, in chunks, once.

    `size` (in bytes) is None and `content_type` empty if the storage does not report them.
    """

    def __init__(
        self, chunks: Iterator[bytes], size: int | None = None, content_type: str = ""
    ) -> None:
        self.size = size
        self.content_type = content_type
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        """Raises DataError if the rest cannot be read."""
        return self._chunks


class FileEntry(msgspec.Struct, frozen=True):
    """A file or folder in a listing; `path` is its full URL, or an absolute path.

    Strings are empty, and times None, if the storage does not know them. Times are in UTC.
    """

    path: str
    name: str
    is_folder: bool
    size: int
    owner: str = ""
    created: datetime | None = None
    updated: datetime | None = None
    permissions: str = ""
    storage_class: str = ""
    etag: str = ""


class FileTarget(Protocol):
    """A file being written. `commit` makes it visible, completely or not at all."""

    def write(self, data: bytes) -> object:
        """Add bytes. Raises DataError, as `commit` does."""
        ...

    def commit(self) -> None: ...
    def discard(self) -> None:
        """Remove all traces. Never raises; does nothing after `commit`."""
        ...

    def abort(self) -> None:
        """Make a pending or future commit fail. Called from another thread."""
        ...


class Files(Protocol):
    """Files by URL: relative to the pipeline file, `sldb:///` in the project, `s3://`, ...

    Every method raises DataError for a name whose data part leads out of its folder (see FileName).
    """

    def locate(self, name: Name) -> str:
        """The full URL; an absolute path for a local file."""
        ...

    def size(self, name: Name, *, to: Purpose = "read") -> int | None:
        """The size of a file in bytes; None if it does not exist.

        `to` is what the caller is about to do with it, for the DataError if that is impossible.
        """
        ...

    def read(self, name: Name) -> FileContent:
        """Open a file. Raises DataError if it is missing or cannot be read."""
        ...

    def seekable(self, name: Name) -> IO[bytes]:
        """Open a file for reading in any order; one that is elsewhere is copied to this machine.

        Close it. Raises DataError as `read` does.
        """
        ...

    def entries(self, folder: Name, pattern: str) -> Iterator[FileEntry]:
        """What a folder holds, sorted by path.

        `pattern` is a glob that is matched against the path within the folder: `*` matches in one
        folder, `**` in all below. Links to folders are not followed. Raises DataError if the
        folder is missing or cannot be read.
        """
        ...

    def using(self, options: Mapping[str, Mapping[str, Any]]) -> Files:
        """The same files; `options` maps a scheme to the options of its file system in fsspec."""
        ...

    def write(self, name: Name, action: FileAction, *, create_folder: bool) -> FileTarget:
        """Start writing a file. Raises DataError if the location is not writable."""
        ...

    def remove(self, name: Name) -> None:
        """Remove a file if it exists. Raises DataError if that is impossible."""
        ...

    def sync(self) -> None:
        """Wait until all appended data is on disk. Raises DataError if that fails."""
        ...

    def interrupt(self) -> None:
        """Make calls that wait for a server fail soon. Called from another thread."""
        ...
