"""The run's side of the process that forks its workers (engine.cluster.forking)."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from typing import IO

from engine.cluster.frames import FORKED, TOLD, WANTED
from engine.cluster.frames_later import fill_later
from engine.cluster.placement import WorkerLostError

END_SECONDS = 3.0
"""Seconds that a process gets to end once its socket is closed."""

_KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": "134217728", "MALLOC_MMAP_THRESHOLD_": "33554432"}
"""Lets the C library keep the memory of a chunk for the next one: to get it from the system again
each time takes a sixth of the time of a filter and a mapping."""

_START = """\
import json, socket, sys
path, descriptor = json.loads(sys.argv[2])
sys.path[:] = path
from engine.cluster.forking import main
main(socket.socket(fileno=descriptor))
"""


class ProcessStarter:
    """The process is started at once; it forks workers when it can, and knows how they end.

    If it is lost, its workers go on; how these end, nobody knows then.
    """

    def __init__(self) -> None:
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed by close
        self._connection, theirs = socket.socketpair()
        self._connection.setblocking(False)
        call = json.dumps([sys.path, theirs.fileno()])
        self._popen = subprocess.Popen(
            [sys.executable, "-P", "-c", _START, f"engine workers of {os.getpid()}", call],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
            env={**os.environ, **_KEEP_MEMORY},
        )
        theirs.close()
        self._forking = asyncio.Lock()
        self._forked: asyncio.Future[int] | None = None
        self._codes: dict[int, asyncio.Future[int | None]] = {}
        self._reading = asyncio.create_task(self._read())

    @property
    def is_lost(self) -> bool:
        return self._reading.done()

    async def fork(self, number: int, connection: socket.socket, log: IO[bytes]) -> int:
        """Start the worker of that number, with one end of a connection, and a file for what it
        prints. Returns the id of its process. Raises WorkerLostError."""
        async with self._forking:  # then there is always room for what is sent
            if self.is_lost:
                raise self._loss()
            self._forked = asyncio.get_running_loop().create_future()
            with suppress(OSError):  # it is gone: reading fails, too
                socket.send_fds(
                    self._connection, [WANTED.pack(number)], [connection.fileno(), log.fileno()]
                )
            return await self._forked

    async def code_of(self, pid: int, seconds: float) -> int | None:
        """The exit code of a worker, once it has ended; None if nobody knows. Raises
        TimeoutError."""
        async with asyncio.timeout(seconds):
            return await asyncio.shield(self._codes[pid])

    async def close(self) -> None:
        """End the process; workers that run go on."""
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading
        self._connection.close()
        try:
            await asyncio.to_thread(self._popen.wait, END_SECONDS)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            await asyncio.to_thread(self._popen.wait)
        self._log.close()

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        told = bytearray(TOLD.size)
        with suppress(EOFError, OSError):
            while True:
                await fill_later(self._connection, told)
                what, pid, code = TOLD.unpack(told)
                if what == FORKED:
                    self._codes[pid] = loop.create_future()
                    if self._forked is not None and not self._forked.done():
                        self._forked.set_result(pid)
                else:
                    self._codes[pid].set_result(code)
        for ended in self._codes.values():
            if not ended.done():
                ended.set_result(None)
        if self._forked is not None and not self._forked.done():
            self._forked.set_exception(self._loss())

    def _loss(self) -> WorkerLostError:
        return WorkerLostError(f"the process that starts workers was lost{last_line(self._log)}")


def last_line(log: IO[bytes]) -> str:
    """The end of what a process printed, for a message."""
    with suppress(OSError, ValueError):
        size = log.seek(0, os.SEEK_END)
        log.seek(max(0, size - _LAST_BYTES))
        lines = log.read().decode(errors="replace").strip().splitlines()
        if lines:
            return "; its last message: " + lines[-1]
    return ""


_LAST_BYTES = 2000
