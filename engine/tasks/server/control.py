"""How commands find the servers of this user, read their state, and tap their tasks.

Every server listens on a Unix socket in a folder that only its user can enter. A client sends at
most one line: without one it gets the state as JSON, otherwise what the line asks for.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import tempfile
from collections.abc import Awaitable, Callable, Generator, Iterator
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


class TapRequest(msgspec.Struct, frozen=True):
    """What to show of a task: views (see engine.run.tap_points), and a condition if not empty."""

    task: str
    views: list[str]
    condition: str = ""


ServeTap = Callable[[TapRequest, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Sends a client the lines of a tap until it hangs up."""


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
    """The server's end of the socket."""

    def __init__(self, state: Callable[[], ServerState], tap: ServeTap) -> None:
        self._state = state
        self._tap = tap
        self._path: Path | None = None
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._path = folder() / f"{os.getpid()}.sock"
        try:
            self._path.unlink(missing_ok=True)
            self._server = await asyncio.start_unix_server(self._answer, str(self._path))
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

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await asyncio.wait_for(reader.readline(), _PATIENCE)
            if line:
                request = msgspec.json.decode(line, type=TapRequest)
                await self._tap(request, reader, writer)
            else:
                writer.write(msgspec.json.encode(self._state()))
            await writer.drain()
        except (OSError, TimeoutError, ValueError):  # it has gone, or is not a client of ours
            pass
        finally:
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


def tap(server: ServerState, request: TapRequest) -> Generator[bytes, None, None]:
    """The lines that the server sends until it ends, or the iterator is closed.

    Raises ConfigurationError if the server refuses, OSError if it has gone.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_PATIENCE)
        connection.connect(str(folder() / f"{server.pid}.sock"))
        connection.sendall(msgspec.json.encode(request) + b"\n")
        with connection.makefile("rb") as lines:
            first = lines.readline()
            refusal = msgspec.json.decode(first).get("error") if first else "the server has gone"
            if refusal is not None:
                raise ConfigurationError(refusal)
            connection.settimeout(None)
            yield first
            yield from lines


def _read_state(path: Path) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_PATIENCE)
        connection.connect(str(path))
        connection.shutdown(socket.SHUT_WR)
        parts: list[Any] = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)
