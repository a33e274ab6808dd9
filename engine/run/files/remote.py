"""Writing files on other file systems, through fsspec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from engine.plan.folders import is_chain, scheme_of
from engine.run.files.failures import failure, stopped
from engine.sdk.files import FileAction, FileEntry

CHUNK = 128 * 1024


class RemoteTarget:
    """A file on another file system, in its own fsspec transaction.

    Few file systems can append within a transaction, so `append` writes the old content again.
    """

    def __init__(self, url: str, action: FileAction, options: Mapping[str, Any]) -> None:
        import fsspec  # imported late: fsspec is slow to import and rarely needed

        self._url = url
        self._action = action
        self._aborted = False
        self._files, self._path = fsspec.core.url_to_fs(url, skip_instance_cache=True, **options)
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
            with suppress(Exception):  # nobody needs it any more
                self._file.close()
            with suppress(Exception):  # a failed commit has been reported
                transaction.complete(commit=False)

    def abort(self) -> None:
        self._aborted = True

    def _copy_old(self) -> None:
        import shutil  # imports all of Python's compression

        try:
            if self._files.exists(self._path):
                with self._files.open(self._path, "rb") as old:
                    shutil.copyfileobj(old, self._file, CHUNK)
        except Exception:  # raised again; each file system has its own
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


def check_scheme(url: str) -> None:
    """Raise ValueError for an unknown scheme, ImportError if its package is not installed.

    Nothing connects to the other side, which may be there when the file is used.
    """
    scheme = scheme_of(url)
    if scheme in ("", "http", "https", "data") or is_chain(url):
        return
    import fsspec  # imported late: fsspec is slow to import and rarely needed

    fsspec.get_filesystem_class(scheme)


def remote_size(url: str, options: Mapping[str, Any]) -> int | None:
    """The size of a remote file in bytes, None if it does not exist."""
    files, path = _file_system(url, options)
    return int(files.size(path) or 0) if files.exists(path) else None


def remove_remote(url: str, options: Mapping[str, Any]) -> None:
    files, path = _file_system(url, options)
    if files.isdir(path):
        raise IsADirectoryError(url)
    if files.exists(path):
        files.rm(path)


def list_remote(url: str, pattern: str, options: Mapping[str, Any]) -> Iterator[FileEntry]:
    from engine.run.files.listing import remote_entries

    files, path = _file_system(url, options)
    files.invalidate_cache()  # it may have been listed by an earlier document
    return remote_entries(files, path, pattern)


def _file_system(url: str, options: Mapping[str, Any]) -> tuple[Any, str]:
    import fsspec  # imported late: fsspec is slow to import and rarely needed

    files, path = fsspec.core.url_to_fs(url, **options)
    return files, path
