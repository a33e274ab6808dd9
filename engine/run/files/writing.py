"""Local files under writing."""

from __future__ import annotations

import errno
import os
import re
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from engine.run.files.failures import LOCAL_ERRORS, failure, stopped
from engine.run.files.leftovers import Aside
from engine.sdk.files import FileAction

CHUNK = 128 * 1024
HELD = 1024 * 1024
"""Bytes to be appended that are held in memory; more of them go to a hidden file."""

SYNC_SECONDS = 1.0
"""A file that is appended to is brought to the disk this often, and at the end of the run."""

_DEVICE = re.compile(r"/dev/(?!shm$)[^/]+|/dev/fd/\d+|/proc/[^/]+/fd/\d+")
_STANDARD = {"stdin": 0, "stdout": 1, "stderr": 2}
_OWN_DESCRIPTOR = re.compile(r"/dev/(stdin|stdout|stderr)|/(?:dev|proc/self)/fd/(\d+)")


class LocalTarget:
    """Writes a hidden file beside the target; `commit` puts it in the target's place."""

    def __init__(self, path: Path, action: FileAction) -> None:
        self._path = path
        self._action = action
        self._aborted = False
        self._aside: Aside | None = Aside(path)

    def write(self, data: bytes) -> object:
        assert self._aside is not None  # nobody writes after commit or discard
        try:
            return self._aside.file.write(data)
        except OSError as error:
            raise failure("write", str(self._path), error) from error

    def commit(self) -> None:
        assert self._aside is not None
        try:
            self._aside.file.flush()
            os.fsync(self._aside.file.fileno())
            self._put_in_place(self._aside.path)
        except OSError as error:
            if self._aborted:
                raise stopped(str(self._path)) from error
            raise failure("write", str(self._path), error) from error
        finally:
            self.discard()

    def discard(self) -> None:
        aside, self._aside = self._aside, None
        if aside is not None:
            aside.discard()

    def abort(self) -> None:
        self._aborted = True
        if (aside := self._aside) is not None:
            aside.remove()  # whatever `commit` does next with the file, it is not there

    def _put_in_place(self, aside: Path) -> None:
        if self._action == "error":
            self._put_where_nothing_is(aside)
            return
        if self._path.exists():
            shutil.copymode(self._path, aside)
        aside.replace(self._path)

    def _put_where_nothing_is(self, aside: Path) -> None:
        """FileExistsError if there is a file of that name, even if it was just made."""
        try:
            os.link(aside, self._path)
        except FileExistsError:
            raise
        except OSError as error:  # a file system without links
            if self._path.exists():
                raise FileExistsError(errno.EEXIST, "the file exists", str(self._path)) from error
            aside.replace(self._path)


class AppendTarget:
    """Gathers what is to be appended; `commit` adds all of it to the target, or nothing."""

    def __init__(self, path: Path, appended: Callable[[Path, int], None]) -> None:
        if not path.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        self._path = path
        self._appended = appended
        self._aborted = False
        self._held = bytearray()
        self._aside: Aside | None = None

    def write(self, data: bytes) -> None:
        try:
            if self._aside is None and len(self._held) + len(data) <= HELD:
                self._held += data
                return
            if self._aside is None:
                self._aside = Aside(self._path)
                self._aside.file.write(self._held)
                self._held.clear()
            self._aside.file.write(data)
        except OSError as error:
            raise failure("write", str(self._path), error) from error

    def commit(self) -> None:
        try:
            self._append()
        except OSError as error:
            if self._aborted:
                raise stopped(str(self._path)) from error
            raise failure("write", str(self._path), error) from error
        finally:
            self.discard()

    def discard(self) -> None:
        self._held.clear()
        aside, self._aside = self._aside, None
        if aside is not None:
            aside.discard()

    def abort(self) -> None:
        self._aborted = True

    def _append(self) -> None:
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
        """The target, which nobody else appends to, and whether it was made for that."""
        while True:
            descriptor, is_new = self._opened()
            target = os.fdopen(descriptor, "ab", buffering=0)
            wait_for_lock(target)
            with suppress(FileNotFoundError):
                if os.path.samestat(self._path.stat(), os.fstat(descriptor)):
                    return target, is_new
            target.close()  # replaced or removed while we waited for the lock

    def _opened(self) -> tuple[int, bool]:
        flags = os.O_WRONLY | os.O_APPEND
        try:
            return os.open(self._path, flags | os.O_CREAT | os.O_EXCL, 0o666), True
        except FileExistsError:
            return os.open(self._path, flags | os.O_CREAT, 0o666), False

    def _copy_to(self, target: IO[bytes]) -> None:
        if self._aside is None:
            self._write_all(target, bytes(self._held))
            return
        self._aside.file.flush()
        with self._aside.path.open("rb") as added:
            while chunk := added.read(CHUNK):
                self._write_all(target, chunk)

    def _write_all(self, target: IO[bytes], data: bytes) -> None:
        """A raw file may take a part only."""
        for start in range(0, len(data), CHUNK):
            chunk = data[start : start + CHUNK]
            while chunk:
                if self._aborted:
                    raise InterruptedError
                chunk = chunk[target.write(chunk) :]


class Appends:
    """Brings appended files to the disk: now and then, and when asked to.

    Doing it for each of many small streams would take most of the time of a run.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._synced: dict[Path, float] = {}
        self._waiting: set[Path] = set()

    def appended(self, path: Path, descriptor: int) -> None:
        now = time.monotonic()
        with self._lock:
            if now - self._synced.setdefault(path, now) < SYNC_SECONDS:
                self._waiting.add(path)
                return
            self._synced[path] = now
            self._waiting.discard(path)
        os.fsync(descriptor)

    def sync(self) -> None:
        """Bring everything to the disk. Raises DataError for a file that cannot be."""
        with self._lock:
            waiting, self._waiting = self._waiting, set()
            self._synced.clear()
        for path in waiting:
            try:
                with path.open("rb", buffering=0) as file:
                    os.fsync(file.fileno())
            except FileNotFoundError:
                pass  # removed since
            except OSError as error:
                raise failure("write", str(path), error) from error


class DirectTarget:
    """A device or a pipe such as /dev/stdout: there is nothing to write aside."""

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
        """What was written is gone already."""


def device_of(located: str) -> str:
    """The device or open file that a path names, perhaps through links; empty for others.

    The path is not resolved further: `/dev/stdout` leads to a file that must not be replaced, or
    to a pipe that has no name.
    """
    for _ in range(40):  # more links than that are a circle
        if _DEVICE.fullmatch(located):
            return located
        try:
            target = Path(located).readlink()
        except LOCAL_ERRORS:
            return ""
        located = os.path.normpath(Path(located).parent / target)
    return ""


def wait_for_lock(file: IO[bytes]) -> None:
    """Wait until nobody else appends to the file, where the system knows such locks."""
    with suppress(ImportError, OSError):
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)
