"""The files that the engine itself may use: any name that does not leave `sldb:`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import copy
from pathlib import Path
from typing import IO, Any

from engine.errors import DataError
from engine.plan.folders import ARCHIVES, scheme_of
from engine.run.files.appends import Appends
from engine.run.files.devices import device_of
from engine.run.files.failures import failure
from engine.run.files.fetching import Fetcher
from engine.run.files.names import (
    Names,
    errors_of,
    is_compression,
    is_local,
    split_chain,
)
from engine.run.files.reading import Elsewhere, open_file, open_seekable
from engine.run.files.remote import (
    RemoteTarget,
    check_scheme,
    list_remote,
    remote_size,
    remove_remote,
)
from engine.run.files.targets import check_folder, check_source, check_target
from engine.sdk.files import (
    FileAction,
    FileContent,
    FileEntry,
    FileTarget,
    Purpose,
    WrittenFile,
)
from engine.sdk.http import HttpClient

_MAX_FOLDERS = 1000


class ProjectFiles:
    """The files of a pipeline in the given folder and project; `http` returns the HTTP client."""

    def __init__(
        self, folder: str, project: str, http: Callable[[], HttpClient] | None = None
    ) -> None:
        self.names = Names(folder, project)
        self._http = http or _no_client
        self._fetcher = Fetcher(self._http)
        self._appends = Appends()
        self._tidied: set[Path] = set()
        self._options: Mapping[str, Mapping[str, Any]] = {}

    def in_folder(self, folder: str, project: str) -> ProjectFiles:
        """The files of another pipeline, which this one runs."""
        return ProjectFiles(folder, project, self._http)

    def using(self, options: Mapping[str, Mapping[str, Any]]) -> ProjectFiles:
        """The same files; `options` maps a scheme to the options of its file system in fsspec."""
        files = copy(self)
        files._options = options
        return files

    def locate(self, name: str) -> str:
        """The full URL; an absolute path for a local file. Raises DataError, as all methods do."""
        return self.names.locate(name)

    def size(self, name: str, *, to: Purpose = "read") -> int | None:
        """The size of a file in bytes (0 if it has none); None if the file does not exist."""
        located = self.locate(name)
        if to != "read":
            _refuse_read_only(located)
        try:
            if is_local(located):
                return os.stat(located).st_size  # noqa: PTH116  # existence and size in one call
            return remote_size(located, self._options_for(located))
        except FileNotFoundError:
            return None
        except errors_of(located) as error:
            raise failure(to, located, error) from error

    def read(self, name: str) -> FileContent:
        """Open a file; its bytes come in chunks of at most 512 KiB."""
        return open_file(self.locate(name), self._elsewhere())

    def seekable(self, name: str) -> IO[bytes]:
        """Open a file for reading in any order; one that is elsewhere is copied to this machine."""
        return open_seekable(self.locate(name), self._elsewhere())

    def entries(self, folder: str, pattern: str) -> Iterator[FileEntry]:
        """What a folder holds; see Files of the sdk."""
        from engine.run.files.listing import local_entries  # many runs list no folder

        located = self.locate(folder)
        try:
            if is_local(located):
                yield from local_entries(located, pattern)
            else:
                _refuse_unlistable(located)
                yield from list_remote(located, pattern, self._options_for(located))
        except errors_of(located) as error:
            raise failure("list", located, error, kind="folder") from error

    def write(self, name: str, action: FileAction, *, create_folder: bool) -> FileTarget:
        """Begin a file, which stays invisible until it is committed."""
        # many runs write no file
        from engine.run.files.writing import AppendTarget, DirectTarget, LocalTarget

        located = self.locate(name)
        _refuse_read_only(located)
        try:
            if not is_local(located):
                return RemoteTarget(located, action, self._options_for(located))
            if device := device_of(located):
                return DirectTarget(device)
            path = Path(os.path.realpath(located))
            if create_folder:
                path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and not path.is_file():
                return DirectTarget(str(path))
            self._tidy(path.parent)
            if action == "append":
                return AppendTarget(path, self._appends.appended)
            return LocalTarget(path, action)
        except errors_of(located) as error:
            can_create = not create_folder
            raise failure("write", located, error, can_create_folder=can_create) from error

    def check_writable(self, name: str, written: WrittenFile) -> None:
        """Raise DataError if a file, or a folder of files, cannot be written as things are."""
        located = self.locate(name)
        _refuse_read_only(located)
        with _as_failure("write", located, can_create_folder=not written.creates_folder):
            if not is_local(located):
                check_scheme(located)
            elif not device_of(located):
                check_target(Path(os.path.realpath(located)), written)

    def check_folder(self, name: str, written: WrittenFile) -> None:
        """Raise DataError if no file can be written in a folder."""
        located = self.locate(name)
        _refuse_read_only(located)
        can_create = not written.creates_folder
        with _as_failure("write into", located, can_create_folder=can_create, kind="folder"):
            if not is_local(located):
                check_scheme(located)
            else:
                check_folder(Path(os.path.realpath(located)), creates=written.creates_folder)

    def check_readable(self, name: str) -> None:
        """Raise DataError if a file cannot be read as things are."""
        located = self.locate(name)
        with _as_failure("read", located):
            if not is_local(located):
                check_scheme(located)
            elif not device_of(located):
                check_source(Path(located))

    def remove(self, name: str) -> None:
        """Remove a file if it exists."""
        located = self.locate(name)
        try:
            if is_local(located):
                Path(located).unlink(missing_ok=True)
            else:
                remove_remote(located, self._options_for(located))
        except errors_of(located) as error:
            raise failure("delete", located, error) from error

    def sync(self) -> None:
        """Wait until everything that was appended is on the disk."""
        self._appends.sync()

    def interrupt(self) -> None:
        """Make pending calls to servers fail soon. Called from another thread."""
        self._fetcher.interrupt()

    def close(self) -> None:
        """Clean up at the end of the run, successful or not."""
        with suppress(DataError):
            self.sync()

    def _options_for(self, located: str) -> Mapping[str, Any]:
        return self._options.get(scheme_of(located), {})

    def _elsewhere(self) -> Elsewhere:
        return Elsewhere(self._fetcher.open, self._options_for)

    def _tidy(self, folder: Path) -> None:
        """Remove the leftovers of dead writers in a folder, once."""
        if folder not in self._tidied:
            if len(self._tidied) >= _MAX_FOLDERS:
                self._tidied.clear()
            self._tidied.add(folder)
            from engine.run.files.hidden_files import remove_leftovers

            remove_leftovers(folder)


@contextmanager
def _as_failure(what: str, located: str, **details: Any) -> Iterator[None]:
    try:
        yield
    except errors_of(located) as error:
        raise failure(what, located, error, **details) from error


def _no_client() -> HttpClient:
    raise DataError("a file cannot be fetched here", "there is no HTTP client")


def _refuse_read_only(located: str) -> None:
    """Refuse to write where files are read-only."""
    first, rest = split_chain(located)
    scheme = scheme_of(first)
    if scheme in ("http", "https", "data", *ARCHIVES) or (rest and is_compression(first)):
        hint = "use another place"
        if scheme in ("http", "https"):
            hint = "send it in a request, or use another place"
        what = f"{scheme}://" if scheme else f"{first}::"
        raise DataError(
            f"cannot write the file {located!r}", f"files of {what} can only be read", hint
        )


def _refuse_unlistable(located: str) -> None:
    first, rest = split_chain(located)
    if rest or scheme_of(first) in ("http", "https", "data"):
        raise NotImplementedError
