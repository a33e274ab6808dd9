"""Files as a snap sees them: names with their author, contents, files under writing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Protocol

import msgspec

from engine.sdk.settings import Evaluated

FileAction = Literal["overwrite", "append", "ignore", "error"]
Purpose = Literal["read", "write", "remove"]


class FileName(msgspec.Struct, frozen=True):
    """A file's name as a setting gives it for a document.

    `literal` is the beginning that the pipeline's author wrote; the rest comes from data and may
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
        """The file whose name has `suffix` at its end."""
        return FileName(f"{self.text}{suffix}", self.literal)


Name = FileName | str
"""A plain string counts as data, unless it stands in the settings of the snap as it is."""


class WrittenFile(msgspec.Struct, frozen=True):
    """A setting, at `path` of a snap's settings, that names a file or folder that it writes.

    `shared`: other snaps of the run may write it too, if they say the same.
    """

    path: tuple[str | int, ...]
    name: Evaluated[str]
    shared: bool = False


class FileContent:
    """An open file: iterate over its bytes, in chunks, once.

    `size` in bytes and `content_type` are None and empty where the place of the file does not tell.
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


class FileTarget(Protocol):
    """A file under writing. Nobody sees it before `commit`, which puts all there or nothing."""

    def write(self, data: bytes) -> object:
        """Add bytes. Raises DataError, as `commit` does."""
        ...

    def commit(self) -> None: ...
    def discard(self) -> None:
        """Leave no trace. Never raises; does nothing after `commit`."""
        ...

    def abort(self) -> None:
        """Make a commit that has yet to come, or to end, fail. Called from another thread."""
        ...


class Files(Protocol):
    """Files by URL: relative to the pipeline file, `sldb:///` in the project, `s3://`, ...

    Every method raises DataError for a name that data leads out of its folder (see FileName).
    """

    def locate(self, name: Name) -> str:
        """The full URL; an absolute path for a local file."""
        ...

    def size(self, name: Name, *, to: Purpose = "read") -> int | None:
        """Bytes of an existing file, None if there is no such file.

        `to` is what the caller is about to do with it, for the DataError if that is impossible.
        """
        ...

    def read(self, name: Name) -> FileContent:
        """Open a file. Raises DataError if it is missing or cannot be read."""
        ...

    def write(self, name: Name, action: FileAction, *, create_folder: bool) -> FileTarget:
        """Begin a file. Raises DataError if the place cannot be written."""
        ...

    def remove(self, name: Name) -> None:
        """Remove a file if it is there. Raises DataError if that is impossible."""
        ...

    def sync(self) -> None:
        """Wait until all that was appended is on the disk. Raises DataError if it cannot be."""
        ...

    def interrupt(self) -> None:
        """Make calls that wait for a server fail soon. Called from another thread."""
        ...
