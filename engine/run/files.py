"""Files by URL: local ones directly, `sldb:///` inside the project, other schemes through fsspec.

A file is written aside and renamed when it is complete, so that a failure, a Ctrl-C or a power cut
never leaves half a file under the name that others read.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from engine.errors import DataError
from engine.sdk.context import FileAction, FileTarget, Purpose

CHUNK = 128 * 1024


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

    def size(self, url: str, *, to: Purpose = "read") -> int | None:
        """Bytes of an existing file (0 where it has no size), None if there is no such file.

        `to` is what the caller is about to do, for the DataError if the place cannot be looked at.
        """
        located = self.locate(url)
        try:
            if "://" in located:
                return _remote_size(located)
            return os.stat(located).st_size  # noqa: PTH116  # one call for existence and size
        except FileNotFoundError:
            return None
        except _errors_of(located) as error:
            raise _failure(to, located, error) from error

    def read(self, url: str) -> Iterator[bytes]:
        """The file in chunks of at most 128 KiB. Raises DataError if it cannot be read."""
        located = self.locate(url)
        try:
            with _open(located, "rb") as file:
                while chunk := file.read(CHUNK):
                    yield chunk
        except _errors_of(located) as error:
            raise _failure("read", located, error) from error

    def write(self, url: str, action: FileAction, *, create_folder: bool) -> FileTarget:
        """A file under writing. Raises DataError if the place cannot be written."""
        located = self.locate(url)
        try:
            if "://" in located:
                return _RemoteTarget(located, action)
            if device := _device(located):
                return _DirectTarget(device)
            path = Path(os.path.realpath(located))
            if create_folder:
                path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and not path.is_file():
                return _DirectTarget(str(path))
            return _LocalTarget(path, action)
        except _errors_of(located) as error:
            raise _failure("write", located, error) from error

    def remove(self, url: str) -> None:
        """Remove a file if it is there. Raises DataError if that is impossible."""
        located = self.locate(url)
        try:
            if "://" in located:
                _remove_remote(located)
            else:
                Path(located).unlink(missing_ok=True)
        except _errors_of(located) as error:
            raise _failure("remove", located, error) from error

    def _in_project(self, url: str) -> Path:
        project = self._project.resolve()
        try:
            path = (project / url.removeprefix("sldb:").lstrip("/")).resolve()
        except (*_LOCAL_ERRORS, RuntimeError) as error:  # the last for links in a circle
            raise _failure("find", url, error) from error
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
        self._aborted = False
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
            if self._aborted:
                raise _stopped(str(self._path)) from error
            raise _failure("write", str(self._path), error) from error
        finally:
            self.discard()

    def discard(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):  # closing writes what is left, which a full disk refuses
                file.close()
            self._remove_aside()

    def abort(self) -> None:
        self._aborted = True
        self._remove_aside()  # whatever `_finish` does next with the file, it is not there

    def _remove_aside(self) -> None:
        with suppress(OSError):
            self._aside.unlink(missing_ok=True)

    def _finish(self) -> None:
        assert self._file is not None
        self._file.flush()
        os.fsync(self._file.fileno())
        if self._action in ("append", "error"):
            try:
                self._put_in_place()
            except FileExistsError:
                if self._action == "error":
                    raise
                self._append()
        else:
            if self._path.exists():
                shutil.copymode(self._path, self._aside)
            self._aside.replace(self._path)

    def _put_in_place(self) -> None:
        """Make the file under its name; FileExistsError if there is one, even if just made."""
        try:
            os.link(self._aside, self._path)
        except FileExistsError:
            raise
        except OSError as error:  # a file system without links
            if self._path.exists():
                raise FileExistsError(errno.EEXIST, "the file exists", str(self._path)) from error
            self._aside.replace(self._path)

    def _append(self) -> None:
        """Add all of the file aside to the target, or nothing of it."""
        with self._aside.open("rb") as added, self._path.open("ab", buffering=0) as target:
            _lock(target)
            size = os.fstat(target.fileno()).st_size
            try:
                while chunk := added.read(CHUNK):
                    self._write_whole(target, chunk)
                os.fsync(target.fileno())
            except OSError:
                os.ftruncate(target.fileno(), size)
                raise

    def _write_whole(self, target: IO[bytes], chunk: bytes) -> None:
        while chunk:
            if self._aborted:
                raise InterruptedError
            chunk = chunk[target.write(chunk) :]


class _DirectTarget:
    """A device or a pipe such as /dev/stdout: there is nothing to write aside."""

    def __init__(self, path: str) -> None:
        self._path = path
        if own := _OWN_DESCRIPTOR.fullmatch(path):  # opening it anew would begin the file anew
            number = int(own[2] or _STANDARD[own[1]])
            self._file: IO[bytes] = os.fdopen(os.dup(number), "wb")
        else:
            self._file = Path(path).open("wb")  # noqa: SIM115  # closed by commit or discard

    def write(self, data: bytes) -> object:
        try:
            return self._file.write(data)
        except OSError as error:
            raise _failure("write", self._path, error) from error

    def commit(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            raise _failure("write", self._path, error) from error

    def discard(self) -> None:
        with suppress(OSError):
            self._file.close()

    def abort(self) -> None:
        """What was written is gone already."""


class _RemoteTarget:
    """A file of another file system, under an fsspec transaction of its own.

    Few file systems can append within a transaction, so that `append` writes the old content anew.
    """

    def __init__(self, url: str, action: FileAction) -> None:
        import fsspec  # other schemes are rare, and it is slow to import

        self._url = url
        self._action = action
        self._aborted = False
        self._files, self._path = fsspec.core.url_to_fs(url, skip_instance_cache=True)
        self._files.start_transaction()
        self._transaction: Any | None = self._files.transaction
        self._file = self._files.open(self._path, "wb")
        if action == "append":
            self._copy_old()

    def write(self, data: bytes) -> object:
        try:
            return self._file.write(data)
        except Exception as error:  # each file system has errors of its own
            raise _failure("write", self._url, error) from error

    def commit(self) -> None:
        try:
            self._finish()
        except Exception as error:  # as above
            raise _failure("write", self._url, error) from error
        finally:
            self.discard()

    def discard(self) -> None:
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            with suppress(Exception):
                self._file.close()
            with suppress(Exception):
                transaction.complete(commit=False)

    def abort(self) -> None:
        self._aborted = True

    def _copy_old(self) -> None:
        try:
            if self._files.exists(self._path):
                with self._files.open(self._path, "rb") as old:
                    shutil.copyfileobj(old, self._file, CHUNK)
        except Exception:
            self.discard()
            raise

    def _finish(self) -> None:
        self._file.close()
        if self._aborted:
            raise _stopped(self._url)
        if self._action == "error":
            self._files.invalidate_cache()
            if self._files.exists(self._path):
                raise FileExistsError(self._url)
        if self._transaction is not None:
            self._transaction.complete(commit=True)
            self._transaction = None


_LOCAL_ERRORS = (OSError, ValueError)
_DEVICE = re.compile(r"/dev/(?!shm$)[^/]+|/dev/fd/\d+|/proc/[^/]+/fd/\d+")
_STANDARD = {"stdin": 0, "stdout": 1, "stderr": 2}
_OWN_DESCRIPTOR = re.compile(r"/dev/(stdin|stdout|stderr)|/(?:dev|proc/self)/fd/(\d+)")


def _errors_of(located: str) -> tuple[type[Exception], ...]:
    """What using a file may raise; each file system of fsspec has errors of its own."""
    return (Exception,) if "://" in located else _LOCAL_ERRORS


def _device(located: str) -> str:
    """The device or open file that a path names, perhaps through links; empty for others.

    The path is not resolved further: `/dev/stdout` leads to a file that must not be replaced, or
    to a pipe that has no name.
    """
    for _ in range(40):  # more links than that are a circle
        if _DEVICE.fullmatch(located):
            return located
        try:
            target = Path(located).readlink()
        except _LOCAL_ERRORS:
            return ""
        located = os.path.normpath(Path(located).parent / target)
    return ""


def _lock(file: IO[bytes]) -> None:
    """Wait until nobody else appends to the file, where the system knows such locks."""
    with suppress(ImportError, OSError):
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)


def _open(located: str, mode: str) -> Any:
    if "://" not in located:
        return Path(located).open(mode)
    import fsspec

    return fsspec.open(located, mode).open()


def _remote_size(url: str) -> int | None:
    import fsspec

    files, path = fsspec.core.url_to_fs(url)
    return int(files.size(path) or 0) if files.exists(path) else None


def _remove_remote(url: str) -> None:
    import fsspec

    files, path = fsspec.core.url_to_fs(url)
    if files.exists(path):
        files.rm(path)


def _stopped(located: str) -> DataError:
    return DataError(f"cannot write the file {located!r}", "the run was stopped")


def _failure(what: str, located: str, error: Exception) -> DataError:
    """The error for a person: what could not be done to which file, why, and what to do."""
    if isinstance(error, DataError):
        return error
    summary = f"cannot {what} the file {located!r}"
    path = Path(located)
    if isinstance(error, FileNotFoundError):
        if "://" in located:
            return DataError(summary, "there is no such file", "check the name")
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
    if isinstance(error, UnicodeError):
        return DataError(summary, "the name holds half a surrogate pair", "give another name")
    if isinstance(error, ImportError | ValueError):
        return DataError(summary, str(error), "check the scheme of the URL, or install its package")
    reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
    return DataError(summary, reason or type(error).__name__)


def _nearest(path: Path) -> str:
    from difflib import get_close_matches

    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        names = []
    close = get_close_matches(path.name, names, n=1)
    return f"did you mean {close[0]!r}?" if close else "check the name"
