"""Files in a preview: local ones can be read, and nothing can be changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from copy import copy
from typing import IO

from engine.errors import ExecutionError
from engine.run.files import ProjectFiles
from engine.run.files.names import is_local, split_chain
from engine.sdk.files import FileAction, FileContent, FileEntry, FileTarget, Purpose
from engine.sdk.http import HttpCall, HttpClient, HttpDownload, HttpRequest, shown_url

Note = Callable[[str, str, str], None]
"""Gets what is read: `file` or `folder`, the full path, and the pattern of a folder's entries."""

_HINT = "allow that with --allow-rest"


class PreviewFiles(ProjectFiles):
    """The files of a pipeline, for reading only; those on other hosts if `allowed` says so."""

    def __init__(
        self,
        folder: str,
        project: str,
        http: Callable[[], HttpClient] | None,
        allowed: Collection[str],
    ) -> None:
        super().__init__(folder, project, http)
        self._allowed = allowed
        self._note: Note = _ignore
        self._vary: Callable[[], None] = _ignore

    def for_snap(self, note: Note, vary: Callable[[], None]) -> PreviewFiles:
        """The same files; `note` is called before one is read, `vary` if it is on another host."""
        files = copy(self)
        files._note, files._vary = note, vary
        return files

    def in_folder(self, folder: str, project: str) -> PreviewFiles:
        return PreviewFiles(folder, project, self._http, self._allowed)

    def size(self, name: str, *, to: Purpose = "read") -> int | None:
        self._check(name)
        return super().size(name, to=to)

    def read(self, name: str) -> FileContent:
        self._check(name)
        return super().read(name)

    def seekable(self, name: str) -> IO[bytes]:
        self._check(name)
        return super().seekable(name)

    def entries(self, folder: str, pattern: str) -> Iterator[FileEntry]:
        self._check(folder, "folder", pattern)
        return super().entries(folder, pattern)

    def write(self, name: str, action: FileAction, *, create_folder: bool) -> FileTarget:
        raise _changes("writes", name)

    def check_readable(self, name: str) -> None:
        """Nothing: a preview may not need the file."""

    def remove(self, name: str) -> None:
        raise _changes("deletes", name)

    def _check(self, name: str, kind: str = "file", pattern: str = "") -> None:
        located = self.locate(name)
        last = located
        while rest := split_chain(last)[1]:
            last = rest
        if is_local(last):
            self._note(kind, last, pattern)
        elif not last.startswith("data:"):
            if "network" not in self._allowed:
                message = f"a preview does not read {shown_url(located)!r} over the network"
                raise ExecutionError(message, _HINT)
            self._vary()


def _ignore(*read: str) -> None:
    """Nobody wants to know."""


def _changes(does: str, name: str) -> ExecutionError:
    return ExecutionError(
        f"the snap {does} {name!r}, which a preview must not do, but its class does not say so",
        "set 'writes = True' in the class of the snap",
    )


class NoHttp:
    """An HTTP client that sends nothing."""

    def send(self, request: HttpRequest, notice: Callable[[str], None]) -> HttpCall:
        raise _sends(request)

    def download(self, request: HttpRequest) -> HttpDownload:
        raise _sends(request)


def _sends(request: HttpRequest) -> ExecutionError:
    message = f"a preview does not send {request.method} {shown_url(request.url)!r}"
    return ExecutionError(message, _HINT)
