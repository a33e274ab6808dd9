"""Files by URL: local ones directly, `sldb:///` inside the project, other schemes through fsspec.

A file is written aside and renamed when it is complete, so that a failure, a Ctrl-C or a power cut
never leaves half a file under the name that others read.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from engine.errors import DataError
from engine.sdk.context import FileAction, FileTarget

CHUNK = 64 * 1024


class ProjectFiles:
    """The files that a pipeline of the given folder and project may name."""

    def __init__(self, folder: str, project: str) -> None:
        self._folder = Path(folder)
        self._project = Path(project)

    def locate(self, url: str) -> str:
        """The full URL: an absolute path for a local file.

        Raises DataError for an empty name and for one that leaves the project through `sldb:`.
        """
        if not url or "\0" in url:
            raise DataError("there is no file name", f"the name is {url!r}", "give a file name")
        if url.startswith("sldb:"):
            return str(self._in_project(url))
        if url.startswith("file:"):
            return unquote(urlsplit(url).path)
        return url if "://" in url else os.path.normpath(self._folder / url)

    def size(self, url: str) -> int | None:
        """Bytes of an existing file (0 where it has no size), None if there is no such file."""
        located = self.locate(url)
        if "://" in located:
            return _remote_size(located)
        try:
            return os.stat(located).st_size  # noqa: PTH116  # one call for existence and size
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _failure("read", located, error) from error

    def read(self, url: str) -> Iterator[bytes]:
        """The file in chunks of at most 64 KiB. Raises DataError if it cannot be read."""
        located = self.locate(url)
        try:
            with _open(located, "rb") as file:
                while chunk := file.read(CHUNK):
                    yield chunk
        except _FILE_ERRORS as error:
            raise _failure("read", located, error) from error

    def write(self, url: str, action: FileAction, *, create_folder: bool) -> FileTarget:
        """A file under writing. Raises DataError if the place cannot be written."""
        located = self.locate(url)
        try:
            if "://" in located:
                return _RemoteTarget(located, action)
            path = Path(os.path.realpath(located))
            if create_folder:
                path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and not path.is_file():
                return _DirectTarget(path)
            return _LocalTarget(path, action)
        except _FILE_ERRORS as error:
            raise _failure("write", located, error) from error

    def _in_project(self, url: str) -> Path:
        project = self._project.resolve()
        path = (project / url.removeprefix("sldb:").lstrip("/")).resolve()
        if not path.is_relative_to(project):
            raise DataError(
                f"the file {url!r} is outside the project",
                f"sldb:/// is the folder {str(project)!r} and cannot be left",
                "use a path inside the project, or file:/// for another place",
            )
        return path


class _LocalTarget:
    """Writes `.<name>.<random>.part` beside the target; `commit` makes it the target."""

    def __init__(self, path: Path, action: FileAction) -> None:
        self._path = path
        self._action = action
        self._aside = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}.part")
        self._file: IO[bytes] | None = self._aside.open("xb")

    def write(self, data: bytes) -> object:
        assert self._file is not None  # nobody writes after commit or discard
        try:
            return self._file.write(data)
        except OSError as error:
            raise _failure("write", str(self._path), error) from error

    def commit(self) -> None:
        try:
            self._finish()
        except OSError as error:
            self.discard()
            raise _failure("write", str(self._path), error) from error

    def discard(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
            self._aside.unlink(missing_ok=True)

    def _finish(self) -> None:
        assert self._file is not None
        self._file.flush()
        os.fsync(self._file.fileno())
        if self._action == "append" and self._path.exists():
            with self._path.open("ab") as target, self._aside.open("rb") as added:
                shutil.copyfileobj(added, target)
        elif self._action == "error":
            os.link(self._aside, self._path)  # fails if another made the file meanwhile
        else:
            if self._path.exists():
                shutil.copymode(self._path, self._aside)
            self._aside.replace(self._path)
        self.discard()


class _DirectTarget:
    """A device or a pipe such as /dev/stdout: there is nothing to write aside."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb")

    def write(self, data: bytes) -> object:
        try:
            return self._file.write(data)
        except OSError as error:
            raise _failure("write", str(self._path), error) from error

    def commit(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            raise _failure("write", str(self._path), error) from error

    discard = commit


class _RemoteTarget:
    """A file of another file system, under an fsspec transaction."""

    def __init__(self, url: str, action: FileAction) -> None:
        import fsspec

        self._url = url
        self._files, path = fsspec.core.url_to_fs(url)
        self._files.start_transaction()
        self._file = self._files.open(path, "ab" if action == "append" else "wb")

    def write(self, data: bytes) -> object:
        try:
            return self._file.write(data)
        except _FILE_ERRORS as error:
            raise _failure("write", self._url, error) from error

    def commit(self) -> None:
        self._end(commit=True)

    def discard(self) -> None:
        self._end(commit=False)

    def _end(self, *, commit: bool) -> None:
        if self._file.closed:
            return
        try:
            self._file.close()
            self._files.transaction.complete(commit=commit)
        except _FILE_ERRORS as error:
            raise _failure("write", self._url, error) from error


_FILE_ERRORS = (OSError, ValueError, ImportError)


def _open(located: str, mode: str) -> Any:
    if "://" not in located:
        return Path(located).open(mode)
    import fsspec  # other schemes are rare, and it is slow to import

    return fsspec.open(located, mode).open()


def _remote_size(url: str) -> int | None:
    import fsspec

    try:
        files, path = fsspec.core.url_to_fs(url)
        return int(files.size(path) or 0) if files.exists(path) else None
    except _FILE_ERRORS as error:
        raise _failure("read", url, error) from error


def _failure(what: str, located: str, error: Exception) -> DataError:
    """The error for a person: what could not be done to which file, why, and what to do."""
    summary = f"cannot {what} the file {located!r}"
    path = Path(located)
    if isinstance(error, FileNotFoundError) and "://" not in located:
        if not path.parent.is_dir():
            return DataError(
                summary, f"there is no folder {str(path.parent)!r}", "create it or set create_dir"
            )
        return DataError(summary, "there is no such file", _nearest(path))
    if isinstance(error, PermissionError):
        return DataError(summary, "permission denied", "change its permissions or its owner")
    if isinstance(error, IsADirectoryError):
        return DataError(summary, "it is a folder", "name a file")
    if isinstance(error, FileExistsError):
        return DataError(summary, "the file exists", "use another file_action, or remove it")
    if isinstance(error, ImportError | ValueError):
        return DataError(summary, str(error), "check the scheme of the URL, or install its package")
    return DataError(summary, str(error.strerror or error) if isinstance(error, OSError) else "")


def _nearest(path: Path) -> str:
    from difflib import get_close_matches

    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        names = []
    close = get_close_matches(path.name, names, n=1)
    return f"did you mean {close[0]!r}?" if close else "check the name"
