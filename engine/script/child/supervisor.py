"""The parent of the script's process, so that nothing the script starts outlives the session.

The process that the engine starts forks at once: the child becomes the script, the parent waits. It
ends the script and all its descendants, including daemons, when the script ends or when the engine
closes the lifeline, which happens even if the engine is killed. It never runs user code, and holds
no lock that user code could hold.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import sys
import time
from pathlib import Path

from .state import State

_PARENT_DEATH_SIGNAL = 1
_CHILD_SUBREAPER = 36
_CLEANUP_SECONDS = 2.0


def supervise(lifeline: int, folder: str, state: State) -> None:
    """Fork, and return in the script's process only.

    `folder` is removed if the engine closes the lifeline.
    """
    _prctl(_CHILD_SUBREAPER, 1)
    supervisor = os.getpid()
    script = os.fork()
    if script:
        os._exit(_watch(script, lifeline, folder, state))
    os.close(lifeline)
    _prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != supervisor:
        os._exit(1)


def _prctl(option: int, value: int) -> None:
    """Linux only; elsewhere the lifeline alone must do."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _watch(script: int, lifeline: int, folder: str, state: State) -> int:
    _close_all_but(lifeline)
    lifeline_closed = not _wait(script, lifeline, state)
    _end_descendants()
    if lifeline_closed:
        shutil.rmtree(folder, ignore_errors=True)
    if not Path("/proc/self/stat").exists():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    return 0


def _close_all_but(lifeline: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nothing, descriptor)
    os.closerange(3, lifeline)
    os.closerange(lifeline + 1, os.sysconf("SC_OPEN_MAX"))


def _wait(script: int, lifeline: int, state: State) -> bool:
    """Wait until the script ends (true), or kill it when the lifeline is closed (false)."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        status = _reap(script)
        if status is not None:
            state.status = status
            return True
        ready, _, _ = select.select([lifeline, woken], [], [])
        if lifeline in ready:
            os.kill(script, signal.SIGKILL)
            return False
        os.read(woken, 1024)


def _reap(script: int) -> int | None:
    """Reap all dead children; returns the script's exit code if it is one of them."""
    code = None
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            if pid == script:
                code = os.waitstatus_to_exitcode(status)
    return code


def _end_descendants() -> None:
    """Kill all descendants: orphans become children of this subreaper, so none escapes."""
    end = time.monotonic() + _CLEANUP_SECONDS
    while time.monotonic() < end:
        _reap(0)
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        for pid in _descendants():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)


def _descendants() -> list[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            text = entry.read_bytes()
            parents[int(entry.parent.name)] = int(text.rpartition(b")")[2].split()[1])
    found = [os.getpid()]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]
