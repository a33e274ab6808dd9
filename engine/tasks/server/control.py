"""How commands find the servers of this user, and talk to them.

Every server listens on a Unix socket in a folder that only its user can enter, and answers there
what it answers on its admin port: see engine.tasks.server.admin.
"""

from __future__ import annotations

import http.client
import os
import socket
import stat
import tempfile
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from engine.errors import ConfigurationError, ExecutionError
from engine.tasks.server.states import ServerState

_PATIENCE = 2.0


def folder() -> Path:
    """The folder of the sockets. Raises ConfigurationError if other users could reach them."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    root = Path(runtime) if runtime else Path(tempfile.gettempdir())
    place = root / ("snapline" if runtime else f"snapline-{os.getuid()}")
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = place.lstat()
    except OSError as error:
        raise ConfigurationError(f"cannot create the folder {str(place)!r}: {error}") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ConfigurationError(
            f"{str(place)!r} must be a folder that only you can enter; "
            "remove it, or set XDG_RUNTIME_DIR to a folder of your own"
        )
    return place


def listen_here() -> tuple[Path, socket.socket]:
    """The socket of this server, and its path. Raises ConfigurationError."""
    path = folder() / f"{os.getpid()}.sock"
    listener = socket.socket(socket.AF_UNIX)
    try:
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        listener.listen()
    except OSError as error:  # the path of a socket may have 107 bytes
        listener.close()
        raise ConfigurationError(
            f"cannot create the socket {str(path)!r} for 'engine tasks': {error}; "
            "set XDG_RUNTIME_DIR to another folder, with a shorter path"
        ) from error
    listener.setblocking(False)
    return path, listener


def servers() -> Iterator[ServerState]:
    """The state of every server of this user; the sockets of dead ones are removed."""
    for path in sorted(folder().glob("*.sock")):
        try:
            with closing(_Connection(path, _PATIENCE)) as connection:
                connection.request("GET", "/tasks")
                body = connection.getresponse().read()
            yield msgspec.json.decode(body, type=ServerState)
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        except (OSError, http.client.HTTPException, msgspec.DecodeError):
            continue  # it is just starting or shutting down


def ask(pid: int, method: str, task: str, what: str, **query: Any) -> Any:
    """What the server answers about a task. It may take as long as it needs.

    Raises ConfigurationError with its message if it refuses, ExecutionError if it has gone.
    """
    with closing(_Connection(folder() / f"{pid}.sock", None)) as connection:
        try:
            connection.request(method, _path(task, what, query))
            response = connection.getresponse()
            return _accepted(response.status, response.read())
        except (OSError, http.client.HTTPException) as error:
            raise ExecutionError(f"the server {pid} does not answer: {error}") from None


def stream(pid: int, path: str) -> Generator[bytes, None, None]:
    """The lines of a page until the server ends, or the iterator is closed.

    Raises ConfigurationError if the server refuses, OSError if it has gone.
    """
    with closing(_Connection(folder() / f"{pid}.sock", None)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        if response.status != 200:
            _accepted(response.status, response.read())
        try:
            while line := response.readline():
                if line.strip():
                    yield line
        except http.client.IncompleteRead:  # it was killed
            return


def tap(server: ServerState, task: str, view: str, condition: str) -> Generator[bytes, None, None]:
    """The lines of a tap, as `stream`."""
    return stream(server.pid, _path(task, "tap", {"view": view, "filter": condition}))


def _path(task: str, what: str, query: dict[str, Any]) -> str:
    below = f"/{what}" if what else ""
    return f"/tasks/{quote(task, safe='')}{below}{'?' + urlencode(query) if query else ''}"


def _accepted(status: int, body: bytes) -> Any:
    answer = msgspec.json.decode(body)
    if status == 200:
        return answer
    hint = f"; {answer['resolution']}" if answer["resolution"] else ""
    raise ConfigurationError(f"{answer['error']}{hint}")


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, patience: float | None) -> None:
        super().__init__("localhost", timeout=patience)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(str(self._path))
        except OSError:
            self.sock.close()
            raise
