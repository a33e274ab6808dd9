"""The process that starts the workers of a run: it imports the engine once, and forks for each.

To import the engine takes a fifth of a second of a core, a fork some milliseconds. To fork is safe
here, as it would not be in a process of somebody else's: this one has a single thread. It imports
no snaps, whose libraries may start threads.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import engine.expressions.records
import engine.run.fused
from engine.cluster import process_worker
from engine.cluster.frames import ENDED, FORKED, TOLD, WANTED
from engine.cluster.kept_memory import keep_memory
from engine.expressions.functions import tables

PRELOADED = (engine.expressions.records, engine.run.fused, tables)
"""What most workers import when they open their snaps."""


def main(control: socket.socket) -> NoReturn:
    """The entry point of the process, and of those that are forked from it.

    It ends without what Python does at the end: this is the run's, of which it may be a fork.
    """
    code = 1
    try:
        gc.freeze()  # the collector would write to the memory that the forks share, and so copy it
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the coordinator
        _show_as("workers")
        keep_memory()
        connection = _fork(control)
        if connection is not None:
            process_worker.main(connection)
        code = 0
    except BaseException:  # noqa: BLE001  # the end of the process
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _fork(control: socket.socket) -> socket.socket | None:
    """Fork workers until the run has gone. Returns in each worker, too: with its connection."""
    wake, waker = socket.socketpair()
    waker.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # only a signal with a handler wakes
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    while True:
        ready, _, _ = select.select([control, wake], [], [])
        if wake in ready:
            wake.recv(4096)
            _tell_ended(control)
        if control in ready:
            wanted, descriptors, _, _ = socket.recv_fds(control, WANTED.size, 2)
            if not wanted:
                return None
            pid = os.fork()
            if not pid:
                break
            for each in descriptors:
                os.close(each)
            _tell(control, FORKED, pid)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for end in (wake, waker, control):
        end.close()
    return _become_worker(*WANTED.unpack(wanted), *descriptors)


def _become_worker(number: int, connection: int, log: int) -> socket.socket:
    os.setsid()  # a group with the processes of its scripts, which can be ended together
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(log)
    _show_as(f"worker {number}")
    return socket.socket(fileno=connection)


def _show_as(name: str) -> None:
    """Set the name that `ps` and `top` show, on Linux."""
    with suppress(OSError):
        Path("/proc/self/comm").write_text(name)


def _tell_ended(control: socket.socket) -> None:
    with suppress(ChildProcessError):  # there is none any more
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            pid, status = ended
            _tell(control, ENDED, pid, os.waitstatus_to_exitcode(status))


def _tell(control: socket.socket, what: bytes, pid: int, code: int = 0) -> None:
    with suppress(OSError):  # the run has gone, and this process ends
        control.sendall(TOLD.pack(what, pid, code))
