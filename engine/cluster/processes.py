"""The placement on this machine: each worker is a process, joined to the run by a socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections import deque
from contextlib import suppress
from typing import IO

from engine.cluster.frames import (
    REPLY,
    REQUEST,
    SHOWN,
    SOCKET_BUFFER,
    receive_frame_later,
    send_frame_later,
)
from engine.cluster.placement import PlacementError, Show, WorkerLostError

START_SECONDS = 60.0
"""Seconds in which a process must have started, even on a busy machine."""

END_SECONDS = 3.0
"""Seconds that a worker gets to end once its socket is closed."""

_KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": "134217728", "MALLOC_MMAP_THRESHOLD_": "33554432"}
"""Lets the C library keep the memory of a chunk for the next one: to get it from the system again
each time takes a sixth of the time of a filter and a mapping."""

_START = """\
import json, socket, sys
path, descriptor = json.loads(sys.argv[2])
sys.path[:] = path
from engine.cluster.process_worker import main
main(socket.socket(fileno=descriptor))
"""


class Processes:
    """Starts workers as processes of this machine (a Placement)."""

    name = "processes"
    shares_files = True

    async def start(self, number: int, job: bytes, show: Show) -> ProcessLink:
        """Raises PlacementError, or WorkerLostError."""
        link = ProcessLink(number, show)
        try:
            async with asyncio.timeout(START_SECONDS):
                await link.start(job)
        except TimeoutError:
            await link.close()
            raise PlacementError(
                f"worker {number} did not start within {START_SECONDS:.0f} seconds",
                "the machine may be overloaded; use fewer workers",
            ) from None
        except BaseException:  # raised again once the process has ended
            await link.close()
            raise
        return link

    async def close(self) -> None:
        """Nothing is shared."""


class ProcessLink:
    """One process (a WorkerLink)."""

    def __init__(self, number: int, show: Show) -> None:
        loop = asyncio.get_running_loop()
        self.name = f"worker {number}"
        self.incarnation = ""
        self.lost: asyncio.Future[WorkerLostError] = loop.create_future()
        self._number = number
        self._show = show
        self._connection, self._theirs = socket.socketpair()
        for end in (self._connection, self._theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
        self._connection.setblocking(False)
        self._messages: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed by close
        self._popen: subprocess.Popen[bytes] | None = None
        self._waiting: deque[asyncio.Future[bytes]] = deque()
        self._sending = asyncio.Lock()
        self._reading: asyncio.Task[None] | None = None
        self._is_closed = False

    async def start(self, job: bytes) -> None:
        """Start the process, and wait until it has read its job. Raises PlacementError, or
        WorkerLostError."""
        self._popen = await asyncio.to_thread(self._spawn)
        self._theirs.close()
        self.incarnation = str(self._popen.pid)
        self.name = f"worker {self._number} (process {self._popen.pid})"
        try:
            await send_frame_later(self._connection, REQUEST, job)
            _, answer = await receive_frame_later(self._connection)
        except (OSError, EOFError):
            code = await asyncio.to_thread(self._popen.wait)
            raise WorkerLostError(
                f"{self.name} {_ending(code)} while it started{self._last_words()}"
            ) from None
        if answer:
            raise PlacementError(answer.decode())
        self._reading = asyncio.create_task(self._read())

    async def send(self, message: bytes) -> asyncio.Future[bytes]:
        """Raises WorkerLostError."""
        async with self._sending:
            if self.lost.done():
                raise self.lost.result()
            answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            self._waiting.append(answer)
            try:
                await send_frame_later(self._connection, REQUEST, message)
            except OSError:
                raise await asyncio.shield(self.lost) from None
        return answer

    async def close(self) -> None:
        """Close the socket, upon which the process ends; kill it if it does not."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
        self.lost.cancel()
        for answer in self._waiting:
            answer.cancel()
        self._connection.close()
        self._theirs.close()
        if self._popen is not None:
            await asyncio.to_thread(_end, self._popen)
        self._messages.close()

    def _spawn(self) -> subprocess.Popen[bytes]:
        call = json.dumps([sys.path, self._theirs.fileno()])
        return subprocess.Popen(
            [sys.executable, "-P", "-c", _START, f"engine worker {self._number}", call],
            stdin=subprocess.DEVNULL,
            stdout=self._messages,
            stderr=self._messages,
            pass_fds=(self._theirs.fileno(),),
            start_new_session=True,
            env={**os.environ, **_KEEP_MEMORY},
        )

    async def _read(self) -> None:
        try:
            while True:
                kind, body = await receive_frame_later(self._connection)
                if kind == REPLY:
                    answer = self._waiting.popleft()
                    if not answer.done():
                        answer.set_result(body)  # type: ignore[arg-type]  # read like bytes
                elif kind == SHOWN:
                    label, _, line = body.decode(errors="surrogatepass").partition("\0")
                    self._show(label, line)
        except (EOFError, OSError):
            await self._lose()

    async def _lose(self) -> None:
        assert self._popen is not None  # it was started
        with suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(self._popen.wait, END_SECONDS)
        code = self._popen.returncode
        how = "hung up" if code is None else _ending(code)
        error = WorkerLostError(f"{self.name} {how}{self._last_words()}")
        if not self.lost.done():
            self.lost.set_result(error)
        for answer in self._waiting:
            if not answer.done():
                answer.set_exception(error)
                answer.exception()  # perhaps nobody waits for it any more

    def _last_words(self) -> str:
        """The end of what the process printed, for a message."""
        with suppress(OSError, ValueError):
            size = self._messages.seek(0, os.SEEK_END)
            self._messages.seek(max(0, size - _LAST_BYTES))
            lines = self._messages.read().decode(errors="replace").strip().splitlines()
            if lines:
                return "; its last message: " + lines[-1]
        return ""


def _end(popen: subprocess.Popen[bytes]) -> None:
    try:
        popen.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(popen.pid, signal.SIGKILL)
        popen.wait()


def _ending(code: int) -> str:
    """How a process ended, by its exit code."""
    if code >= 0:
        return f"exited with code {code}"
    try:
        name = f" ({signal.Signals(-code).name})"
    except ValueError:
        name = ""
    hint = "; the system kills processes like this when memory runs out" if code == -9 else ""
    return f"was killed by signal {-code}{name}{hint}"


_LAST_BYTES = 2000
