"""The placement on this machine: each worker is a process, joined to the run by a socket."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import tempfile
from collections import deque
from contextlib import suppress
from typing import IO

from engine.cluster.cores import threads_of
from engine.cluster.frames import REQUEST, SOCKET_BUFFER
from engine.cluster.frames_later import receive_frame_later, send_frame_later
from engine.cluster.message_socket import MessageSocket
from engine.cluster.placement import Answer, PlacementError, Show, WorkerLostError
from engine.cluster.process_starter import END_SECONDS, ProcessStarter, last_line
from engine.script.exits import exit_in_words

START_SECONDS = 60.0
"""Seconds in which a process must have started, even on a busy machine."""


class Processes:
    """Starts workers as processes of this machine (a Placement).

    `may_fork`: this process belongs to the run alone, and the workers may be forks of it.
    """

    name = "processes"

    def __init__(self, *, may_fork: bool = False) -> None:
        self._may_fork = may_fork
        self._threads: dict[str, str] = {}
        self._starters: list[ProcessStarter] = []

    def begin(self, workers: int) -> None:
        self._threads = threads_of(workers)
        self._starters.append(ProcessStarter(self._threads, may_fork=self._may_fork))

    async def start(self, number: int, job: bytes, show: Show) -> ProcessLink:
        """Raises PlacementError, or WorkerLostError."""
        link = ProcessLink(number, show, self._starter())
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
        """End the processes that start workers."""
        await asyncio.gather(*(starter.close() for starter in self._starters))

    def _starter(self) -> ProcessStarter:
        """The one of this run; another one if that was lost."""
        if self._starters[-1].is_lost:
            self._starters.append(ProcessStarter(self._threads, may_fork=False))
        return self._starters[-1]


class ProcessLink:
    """One process (a WorkerLink)."""

    shares_files = True

    def __init__(self, number: int, show: Show, starter: ProcessStarter) -> None:
        loop = asyncio.get_running_loop()
        self.name = f"worker {number}"
        self.incarnation = ""
        self.lost: asyncio.Future[WorkerLostError] = loop.create_future()
        self._number = number
        self._starter = starter
        self._connection, self._theirs = socket.socketpair()
        for end in (self._connection, self._theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
        self._connection.setblocking(False)
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed by close
        self._pid = 0
        self._waiting: deque[asyncio.Future[Answer]] = deque()
        self._messages = MessageSocket(self._connection, self.lost, self._waiting, show)
        self._reading: asyncio.Task[None] | None = None
        self._is_closed = False

    async def start(self, job: bytes) -> None:
        """Start the process, and wait until it has read its job. Raises PlacementError, or
        WorkerLostError."""
        self._pid = await self._starter.fork(self._number, self._theirs, self._log)
        self._theirs.close()
        self.incarnation = str(self._pid)
        self.name = f"worker {self._number} (process {self._pid})"
        try:
            await send_frame_later(self._connection, REQUEST, job)
            _, answer = await receive_frame_later(self._connection)
        except (OSError, EOFError):
            raise WorkerLostError(
                f"{await self._ending()} while it started{last_line(self._log)}"
            ) from None
        if answer:
            raise PlacementError(answer.decode())
        self._reading = asyncio.create_task(self._read())

    async def send(self, message: bytes) -> asyncio.Future[Answer]:
        """Raises WorkerLostError."""
        return await self._messages.send(message)

    async def close(self) -> None:
        """Close the socket, upon which the process ends; kill it if it does not."""
        if self._is_closed:
            return
        self._is_closed = True
        await self._messages.close()
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
        self.lost.cancel()
        for answer in self._waiting:
            answer.cancel()
        self._connection.close()
        self._theirs.close()
        if self._pid:
            try:
                await self._starter.code_of(self._pid, END_SECONDS)
            except TimeoutError:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._pid, signal.SIGKILL)
        self._log.close()

    async def _read(self) -> None:
        await self._messages.read()
        error = WorkerLostError(f"{await self._ending()}{last_line(self._log)}")
        if not self.lost.done():
            self.lost.set_result(error)
        for answer in self._waiting:
            if not answer.done():
                answer.set_exception(error)
                answer.exception()  # perhaps nobody waits for it any more

    async def _ending(self) -> str:
        """How the process ended, which has closed its socket."""
        try:
            code = await self._starter.code_of(self._pid, END_SECONDS)
        except TimeoutError:
            return f"{self.name} hung up"
        return f"{self.name} {_ending(code)}"


def _ending(code: int | None) -> str:
    """How a process ended, by its exit code."""
    if code is None:
        return "was lost"
    hint = "; the system kills processes like this when memory runs out" if code == -9 else ""
    return f"{exit_in_words(code)}{hint}"
