"""The run's side of the process that forks its workers (engine.cluster.forking)."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import IO

from engine.cluster.frames import FORKED, TOLD, WANTED
from engine.cluster.frames_later import fill_later
from engine.cluster.placement import WorkerLostError

END_SECONDS = 3.0
"""Seconds that a process gets to end once its socket is closed."""

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

    `environment`: variables that it and the workers have besides those of this process.
    `may_fork`: this process belongs to the run alone. If it has one thread, the process that starts
    workers is a fork of it, so that it has imported the engine already.
    """

    def __init__(self, environment: Mapping[str, str], *, may_fork: bool) -> None:
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed by close
        self._connection, theirs = socket.socketpair()
        self._connection.setblocking(False)
        if may_fork and _has_one_thread():
            self._pid = _forked(theirs, self._log, environment)
            self._wait: Callable[[], object] = partial(_wait_for, self._pid)
        else:
            process = _spawned(theirs, self._log, environment)
            self._pid, self._wait = process.pid, process.wait
        theirs.close()
        self._forking = asyncio.Lock()
        self._forked: asyncio.Future[int] | None = None
        self._codes: dict[int, asyncio.Future[int | None]] = {}
        self._reading: asyncio.Task[None] | None = None

    @property
    def is_lost(self) -> bool:
        return self._reading is not None and self._reading.done()

    async def fork(self, number: int, connection: socket.socket, log: IO[bytes]) -> int:
        """Start the worker of that number, with one end of a connection, and a file for what it
        prints. Returns the id of its process. Raises WorkerLostError."""
        async with self._forking:  # then there is always room for what is sent
            self._reading = self._reading or asyncio.create_task(self._read())
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
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
        self._connection.close()
        ended = asyncio.create_task(asyncio.to_thread(self._wait))
        if not (await asyncio.wait([ended], timeout=END_SECONDS))[0]:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
        await ended
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


def _has_one_thread() -> bool:
    """Whether this is certain; then no lock can be held in a fork by a thread that is not there."""
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208  # the names do not matter
    except OSError:  # not on this system
        return False


def _spawned(
    control: socket.socket, log: IO[bytes], environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    call = json.dumps([sys.path, control.fileno()])
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _START, f"engine workers of {os.getpid()}", call],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        pass_fds=(control.fileno(),),
        start_new_session=True,
        env=os.environ | environment,
    )


def _forked(control: socket.socket, log: IO[bytes], environment: Mapping[str, str]) -> int:
    """The id of the process. The fork keeps nothing of this one but what is in its memory."""
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for descriptor in (1, 2):
            os.dup2(log.fileno(), descriptor)
        os.closerange(3, control.fileno())
        os.closerange(control.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
        sys.stdout, sys.stderr = (open(each, "w", closefd=False) for each in (1, 2))  # noqa: SIM115
        signal.set_wakeup_fd(-1)
        for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(each, signal.SIG_DFL)
        os.environ |= environment
        from engine.cluster.forking import main  # takes a while, for which nobody has to wait here

        main(control)
    except BaseException:  # noqa: BLE001  # nothing may return into what this process was
        traceback.print_exc()
    finally:
        os._exit(1)


def _wait_for(pid: int) -> None:
    with suppress(ChildProcessError):  # who has started this process lets it ignore SIGCHLD
        os.waitpid(pid, 0)


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
