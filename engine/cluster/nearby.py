"""Finds out which of the workers that something else starts are on this machine, and see its files.

For each worker, the run listens on a socket in a folder that is closed to other users. A worker
that finds it there is on this machine, and everything that is said to it goes through that socket.
It sees the same files if it also has the same mounts and rights. Nothing of this is assumed: a
container on this machine may find the socket and have other files.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from engine.cluster.frames import SOCKET_BUFFER


class View(NamedTuple):
    """What decides which files a process finds under a name on a machine, and whether it may read
    them: user, groups, root folder, and on Linux the namespaces of mounts and users."""

    user: int
    groups: frozenset[int]
    root: tuple[int, int]
    namespaces: tuple[str, ...]


class Door:
    """Where one worker of this machine may call. `path` is empty if there can be no such socket."""

    def __init__(self) -> None:
        self._folder = self.path = ""
        self._listening = socket.socket(socket.AF_UNIX)
        try:
            self._folder = tempfile.mkdtemp(prefix="snapline-")
            path = f"{self._folder}/worker"
            self._listening.bind(path)
            self._listening.listen(1)
            self.path = path
        except OSError:  # no folder to write to, too long a path, a file system without sockets
            pass
        self._listening.setblocking(False)

    async def accept(self) -> socket.socket:
        """The connection of the worker that has called."""
        connection, _ = await asyncio.get_running_loop().sock_accept(self._listening)
        connection.setblocking(False)
        _enlarge(connection)
        return connection

    def close(self) -> None:
        self._listening.close()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


def called(path: str) -> socket.socket | None:
    """A connection to the run that listens there, if it does so on this machine."""
    if not path:
        return None
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        return None
    _enlarge(connection)
    return connection


def view_of_files() -> View | None:
    """That of this process. None if it cannot be told."""
    root = Path("/").stat()
    namespaces: tuple[str, ...] = ()
    if sys.platform == "linux":
        try:
            namespaces = tuple(str(Path("/proc/self/ns", each).readlink()) for each in _NAMESPACES)
        except OSError:
            return None
    groups = frozenset({os.getegid(), *os.getgroups()})
    return View(os.geteuid(), groups, (root.st_dev, root.st_ino), namespaces)


def _enlarge(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)


_NAMESPACES = "mnt", "user"
