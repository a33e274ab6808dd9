"""Writing local files."""

from __future__ import annotations

import errno
import os
import re
import stat
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from engine.run.files.failures import failure, stopped
from engine.run.files.hidden_files import HiddenFile
from engine.sdk.files import FileAction

CHUNK = 128 * 1024
HELD = 1024 * 1024
"""Bytes to append that are held in memory; more go to a hidden file."""

_STANDARD = {"stdin": 0, "stdout": 1, "stderr": 2}
_OWN_DESCRIPTOR = re.compile(r"/dev/(stdin|stdout|stderr)|/(?:dev|proc/self)/fd/(\d+)")


class _HiddenTarget(ABC):
    """A target that stays invisible until it is committed: what was written is hidden so far."""

    def __init__(self, path: Path, hidden: HiddenFile | None) -> None:
        self._path = path
        self._hidden = hidden
        self._aborted = False

    @abstractmethod
    def _publish(self) -> None:
        """Put what was written into the target. Raises OSError."""

    def commit(self) -> None:
        try:
            self._publish()
        except OSError as error:
            if self._aborted:
                raise stopped(str(self._path)) from error
            raise failure("write", str(self._path), error) from error
        finally:
            self.discard()

    def discard(self) -> None:
        hidden, self._hidden = self._hidden, None
        if hidden is not None:
            hidden.discard()

    def abort(self) -> None:
        self._aborted = True


class LocalTarget(_HiddenTarget):
    """Writes a hidden file next to the target; `commit` puts it in the target's place."""

    def __init__(self, path: Path, action: FileAction) -> None:
        super().__init__(path, HiddenFile(path))
        self._action = action

    def write(self, data: bytes) -> object:
        assert self._hidden is not None  # never called after commit or discard
        try:
            return self._hidden.file.write(data)
        except OSError as error:
            raise failure("write", str(self._path), error) from error

    def abort(self) -> None:
        super().abort()
        if (hidden := self._hidden) is not None:
            hidden.remove()  # `commit` will not find the file, whatever it does next

    def _publish(self) -> None:
        assert self._hidden is not None
        self._hidden.file.flush()
        os.fsync(self._hidden.file.fileno())
        self._put_in_place(self._hidden.path)

    def _put_in_place(self, hidden: Path) -> None:
        if self._action == "error":
            self._put_if_absent(hidden)
            return
        if self._path.exists():
            hidden.chmod(stat.S_IMODE(self._path.stat().st_mode))
        hidden.replace(self._path)

    def _put_if_absent(self, hidden: Path) -> None:
        """Raises FileExistsError if the name exists, even if it has just been created."""
        try:
            os.link(hidden, self._path)
        except FileExistsError:
            raise
        except OSError as error:  # a file system without hard links
            if self._path.exists():
                raise FileExistsError(errno.EEXIST, "the file exists", str(self._path)) from error
            hidden.replace(self._path)


class AppendTarget(_HiddenTarget):
    """Collects what to append; `commit` appends all of it to the target, or nothing."""

    def __init__(self, path: Path, appended: Callable[[Path, int], None]) -> None:
        if not path.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        super().__init__(path, None)
        self._appended = appended
        self._held = bytearray()

    def write(self, data: bytes) -> None:
        try:
            if self._hidden is None and len(self._held) + len(data) <= HELD:
                self._held += data
                return
            if self._hidden is None:
                self._hidden = HiddenFile(self._path)
                self._hidden.file.write(self._held)
                self._held.clear()
            self._hidden.file.write(data)
        except OSError as error:
            raise failure("write", str(self._path), error) from error

    def discard(self) -> None:
        self._held.clear()
        super().discard()

    def _publish(self) -> None:
        target, is_new = self._locked()
        with target:
            size = os.fstat(target.fileno()).st_size
            try:
                self._copy_to(target)
            except OSError:
                os.ftruncate(target.fileno(), size)
                if is_new and not size:
                    self._path.unlink(missing_ok=True)
                raise
            self._appended(self._path, target.fileno())

    def _locked(self) -> tuple[IO[bytes], bool]:
        """The target, locked against other appends, and whether it was created for this."""
        while True:
            descriptor, is_new = self._opened()
            target = os.fdopen(descriptor, "ab", buffering=0)
            wait_for_lock(target)
            with suppress(FileNotFoundError):
                if os.path.samestat(self._path.stat(), os.fstat(descriptor)):
                    return target, is_new
            target.close()  # replaced or removed while waiting for the lock

    def _opened(self) -> tuple[int, bool]:
        flags = os.O_WRONLY | os.O_APPEND
        try:
            return os.open(self._path, flags | os.O_CREAT | os.O_EXCL, 0o666), True
        except FileExistsError:
            return os.open(self._path, flags | os.O_CREAT, 0o666), False

    def _copy_to(self, target: IO[bytes]) -> None:
        if self._hidden is None:
            self._write_all(target, bytes(self._held))
            return
        self._hidden.file.flush()
        with self._hidden.path.open("rb") as added:
            while chunk := added.read(CHUNK):
                self._write_all(target, chunk)

    def _write_all(self, target: IO[bytes], data: bytes) -> None:
        """Write everything: a raw file may accept only a part."""
        for start in range(0, len(data), CHUNK):
            chunk = data[start : start + CHUNK]
            while chunk:
                if self._aborted:
                    raise InterruptedError
                chunk = chunk[target.write(chunk) :]


class DirectTarget:
    """A device or a pipe such as /dev/stdout, which is written to directly."""

    def __init__(self, path: str) -> None:
        self._path = path
        if own := _OWN_DESCRIPTOR.fullmatch(path):  # opening it again would truncate the file
            number = int(own[2] or _STANDARD[own[1]])
            self._file: IO[bytes] = os.fdopen(os.dup(number), "wb")
        else:
            self._file = Path(path).open("wb")  # noqa: SIM115  # closed by commit or discard

    def write(self, data: bytes) -> object:
        try:
            return self._file.write(data)
        except OSError as error:
            raise failure("write", self._path, error) from error

    def commit(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            raise failure("write", self._path, error) from error

    def discard(self) -> None:
        with suppress(OSError):
            self._file.close()

    def abort(self) -> None:
        """Nothing to undo: what was written has left already."""


def wait_for_lock(file: IO[bytes]) -> None:
    """Wait until nobody else appends to the file, where the system has such locks."""
    with suppress(ImportError, OSError):
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)
