"""Stops a run from a signal handler, even while a snap keeps the event loop busy.

Snaps that never wait run on the event loop, so during a long-running expression the loop does not
notice a cancellation. Python runs signal handlers between two instructions of the main thread, so
the handler raises the cancellation right there, in the snap.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from engine.errors import ExecutionError

R = TypeVar("R")


class Stopper:
    """Stops one run on the main thread."""

    def __init__(self) -> None:
        self._in_snap = False
        self._expiry: ExecutionError | None = None
        self._has_ended = False

    def call(self, function: Callable[..., R], *args: Any) -> R:
        """Call into a snap; `stop` may interrupt it."""
        self._in_snap = True
        try:
            return function(*args)
        finally:
            self._in_snap = False

    def expire(
        self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any], expiry: ExecutionError
    ) -> None:
        """Stop a run whose time is over, as `stop` does; then it has failed."""

        def cancel() -> None:
            if not self._has_ended:
                task.cancel()

        if not self._has_ended:
            self._expiry = expiry
            self.interrupt(loop, cancel)

    def end(self) -> None:
        """The run has ended: its time cannot be over any more, though its workers still close."""
        self._has_ended = True

    def take_expiry(self) -> ExecutionError | None:
        """Why the current task, which was cancelled, has failed; None if it was just stopped. If it
        has failed, it goes on."""
        task = asyncio.current_task()
        if self._expiry is not None and task is not None:
            task.uncancel()
        return self._expiry

    def stop(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
        """Cancel the task that runs the plan. Called by a signal handler."""
        self.interrupt(loop, task.cancel)

    def interrupt(self, loop: asyncio.AbstractEventLoop, cancel: Callable[[], object]) -> None:
        """Let the loop call `cancel`, and end a call into a snap now."""
        loop.call_soon_threadsafe(cancel)
        if self._in_snap:
            self._in_snap = False
            raise asyncio.CancelledError


@contextmanager
def stopped_by(
    signals: Iterable[signal.Signals], stopper: Stopper, again: Callable[[], object]
) -> Iterator[None]:
    """Let the first of these signals stop what the current task of the event loop does in the
    block. Each further one calls `again`. For the main thread, as all signal handlers."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # there is a running loop
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        if stopping:
            again()
        stopping = True
        stopper.stop(loop, task)

    before = {number: signal.signal(number, stop) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def limited_to(seconds: float | None, stopper: Stopper) -> Iterator[None]:
    """Let a run that the current task of the event loop does in the block fail after that time.

    On the main thread, an alarm signal also reaches it in a snap that keeps the event loop busy.
    """
    if seconds is None:
        yield
        return
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # there is a running loop

    def expire(*_: object) -> None:
        expiry = ExecutionError(
            f"the run did not end within {seconds:g} seconds",
            "allow more time, or find out what takes so long: the column 'seconds' shows where the "
            "time went",
        )
        stopper.expire(loop, task, expiry)

    if _has_alarm():
        before = signal.signal(signal.SIGALRM, expire)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        return
    timer = loop.call_later(seconds, expire)
    try:
        yield
    finally:
        timer.cancel()


def _has_alarm() -> bool:
    """Whether the alarm of this process is ours: not in a thread, nor if a program uses it."""
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
