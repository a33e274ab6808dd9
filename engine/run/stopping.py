"""Stops a run from a signal handler, also while a snap keeps the event loop busy.

Snaps that never wait run on the event loop, so a loop that works on a heavy expression cannot hear
of a cancellation. Python runs signal handlers between two instructions of the main thread: so the
handler raises the cancellation right there, in the snap.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

R = TypeVar("R")


class Stopper:
    """For one run on the main thread."""

    def __init__(self) -> None:
        self._in_snap = False

    def call(self, function: Callable[..., R], *args: Any) -> R:
        """Call into a snap; `stop` may break it off."""
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
