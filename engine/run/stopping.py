"""Stops a run from a signal handler, even while a snap keeps the event loop busy.

Snaps that never wait run on the event loop, so during a long-running expression the loop does not
notice a cancellation. Python runs signal handlers between two instructions of the main thread, so
the handler raises the cancellation right there, in the snap.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

R = TypeVar("R")


class Stopper:
    """Stops one run on the main thread."""

    def __init__(self) -> None:
        self._in_snap = False

    def call(self, function: Callable[..., R], *args: Any) -> R:
        """Call into a snap; `stop` may interrupt it."""
        self._in_snap = True
        try:
            return function(*args)
        finally:
            self._in_snap = False

    def stop(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
        """Cancel the task that runs the plan. Called by a signal handler."""
        loop.call_soon_threadsafe(task.cancel)
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
