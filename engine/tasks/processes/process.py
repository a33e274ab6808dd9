"""Processes of the server: started with a socket to speak over, and ended without a trace.

A process is given the parent's module path and a call to make, `module:function`; the function gets
the socket. Its command line says what it does, for who reads a list of processes. It leads a
session of its own, so that Ctrl-C at the terminal reaches the front alone, and it must end when its
socket is closed: then nothing stays behind if the front is killed.
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

from engine.tasks.processes.channel import MessageChannel

_START = """\
import importlib, json, socket, sys
path, module, function, descriptor = json.loads(sys.argv[2])
sys.path[:] = path
getattr(importlib.import_module(module), function)(socket.socket(fileno=descriptor))
"""
PATIENCE = 3.0
"""Seconds that a process gets to end after its socket was closed."""


class Process:
    """A process that speaks over `channel`."""

    def __init__(self, popen: subprocess.Popen[bytes], channel: MessageChannel) -> None:
        self._popen = popen
        self.channel = channel

    @classmethod
    async def start(cls, target: str, channel: MessageChannel, title: str) -> Process:
        """Start `module:function` with the other end of the channel. Raises OSError."""
        ours, theirs = socket.socketpair()
        module, _, function = target.partition(":")
        call = json.dumps([sys.path, module, function, theirs.fileno()])
        try:
            popen = await asyncio.to_thread(_spawn, call, theirs, title)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        await channel.connect(ours)
        return cls(popen, channel)

    @property
    def pid(self) -> int:
        return self._popen.pid

    async def end(self, patience: float = PATIENCE) -> int:
        """Hang up and wait; a process that stays is killed. Its exit code, minus the signal."""
        self.channel.close()
        try:
            return await asyncio.to_thread(self._popen.wait, patience)
        except subprocess.TimeoutExpired:
            return await self.kill()

    async def kill(self) -> int:
        """End the process at once, and all of its session. Its exit code."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self.channel.close()
        return await asyncio.to_thread(self._popen.wait)


def described(code: int) -> str:
    """How a process has ended, by its exit code."""
    if code >= 0:
        return f"its process ended with exit code {code}"
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
