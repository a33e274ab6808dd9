"""Child processes of the server: each gets a socket to the front, and none outlives it.

A process gets the parent's module path and a function to call, `module:function`, with the socket
as argument. A title on its command line says what it does, for people who list processes. It leads
its own session, so that Ctrl-C at the terminal reaches the front alone, and it must end when its
socket is closed, so that no process is left if the front is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from typing import Any

from engine.tasks.wire.channel import END_SECONDS, MessageChannel

_START = """\
import importlib, json, socket, sys
path, module, function, descriptor = json.loads(sys.argv[2])
sys.path[:] = path
getattr(importlib.import_module(module), function)(socket.socket(fileno=descriptor))
"""


class Process:
    """A process at the other end of `channel`."""

    def __init__(self, popen: subprocess.Popen[bytes], channel: MessageChannel) -> None:
        self._popen = popen
        self.channel = channel

    @classmethod
    async def start(cls, target: str, channel: MessageChannel, title: str) -> Process:
        """Start `module:function` with the other end of the channel. Raises OSError."""
        ours, theirs = socket.socketpair()
        module, _, function = target.partition(":")
        call = json.dumps([sys.path, module, function, theirs.fileno()])
        spawning = asyncio.ensure_future(asyncio.to_thread(_spawn, call, theirs, title))
        try:
            process = cls(await asyncio.shield(spawning), channel)
        except asyncio.CancelledError:  # the thread goes on
            await cls(await spawning, channel).kill()
            ours.close()
            raise
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        await channel.connect(ours)
        return process

    @property
    def pid(self) -> int:
        return self._popen.pid

    async def end(self, patience: float = END_SECONDS) -> int:
        """Close the channel and wait, then kill. Returns the exit code, negative for a signal."""
        self.channel.close()
        try:
            return await asyncio.to_thread(self._popen.wait, patience)
        except subprocess.TimeoutExpired:
            return await self.kill()

    async def kill(self) -> int:
        """Kill the process and its whole session. Returns the exit code."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self.channel.close()
        return await asyncio.to_thread(self._popen.wait)


def described(code: int) -> str:
    """How a process ended, by its exit code."""
    if code >= 0:
        return f"its process exited with code {code}"
    try:
        name = f" ({signal.Signals(-code).name})"
    except ValueError:
        name = ""
    return f"its process was killed by signal {-code}{name}"


def _spawn(call: str, connection: socket.socket, title: str) -> subprocess.Popen[Any]:
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _START, title, call],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr.fileno(),
        pass_fds=(connection.fileno(),),
        start_new_session=True,
    )
