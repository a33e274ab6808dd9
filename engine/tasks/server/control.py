"""How `engine tasks` finds the servers of this user and reads their state.

Every server listens on a Unix socket in a folder that only its user can enter, and answers each
connection with its state as JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from engine.errors import ConfigurationError

_PATIENCE = 2.0


class TaskState(msgspec.Struct, frozen=True):
    """One task as `engine tasks` shows it; seconds for `p50` and `p99`, None without requests.

    `requests` counts the runs of a scheduled task. `next_run` is ISO 8601, in the zone of its
    schedule; None if there is none.
    """

    name: str
    type: str
    pipeline: str
    url: str
    state: str
    instances: int
    requests: int
    errors: int
    queued: int
    p50: float | None
    p99: float | None
    note: str = ""
    next_run: str | None = None


class ServerState(msgspec.Struct, frozen=True):
    pid: int
    url: str
    tasks: list[TaskState]


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


class Control:
    """The server's end: a socket that answers with the state."""

    def __init__(self, state: Callable[[], ServerState]) -> None:
        self._state = state
        self._path: Path | None = None
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._path = folder() / f"{os.getpid()}.sock"
        try:
            self._path.unlink(missing_ok=True)
            self._server = await asyncio.start_unix_server(self._send_state, str(self._path))
        except OSError as error:  # the path of a socket may have 107 bytes
            raise ConfigurationError(
                f"cannot create the socket {str(self._path)!r} for 'engine tasks': {error}; "
                "set XDG_RUNTIME_DIR to another folder, with a shorter path"
            ) from error

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    async def _send_state(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            writer.write(msgspec.json.encode(self._state()))
            await writer.drain()
        writer.close()


def servers() -> Iterator[ServerState]:
    """The state of every server of this user; the sockets of dead ones are removed."""
    for path in sorted(folder().glob("*.sock")):
        try:
            yield msgspec.json.decode(_read_state(path), type=ServerState)
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        except (OSError, msgspec.DecodeError):
            continue  # it is just starting or shutting down


def _read_state(path: Path) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_PATIENCE)
        connection.connect(str(path))
        parts: list[Any] = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)
