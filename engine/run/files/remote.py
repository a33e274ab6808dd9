"""Writing files on other file systems, through fsspec."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from engine.run.files.failures import failure, stopped
from engine.sdk.files import FileAction

CHUNK = 128 * 1024


class RemoteTarget:
    """A file on another file system, in its own fsspec transaction.

    Few file systems can append within a transaction, so `append` writes the old content again.
    """

    def __init__(self, url: str, action: FileAction) -> None:
        import fsspec  # imported late: fsspec is slow to import and rarely needed

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
        except Exception as error:  # each file system has its own errors
            raise failure("write", self._url, error) from error

    def commit(self) -> None:
        try:
            self._finish()
        except Exception as error:  # as above
            raise failure("write", self._url, error) from error
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
        import shutil  # imports all of Python's compression

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
            raise stopped(self._url)
        if self._action == "error":
            self._files.invalidate_cache()
            if self._files.exists(self._path):
                raise FileExistsError(self._url)
        if self._transaction is not None:
            self._transaction.complete(commit=True)
            self._transaction = None


def remote_size(url: str) -> int | None:
    """The size of a remote file in bytes, None if it does not exist."""
    import fsspec

    files, path = fsspec.core.url_to_fs(url)
    return int(files.size(path) or 0) if files.exists(path) else None


def remove_remote(url: str) -> None:
    import fsspec

    files, path = fsspec.core.url_to_fs(url)
    if files.exists(path):
        files.rm(path)
