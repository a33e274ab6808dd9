"""One thread for one blocking stage, so that a wait never stops the event loop.

The thread is a daemon: a call that cannot be interrupted (a read from a pipe that nobody writes) is
left behind when the run ends, and does not keep the program alive.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

INTERRUPTED_CALL_SECONDS = 1.5
"""How long a call that was interrupted may take to return before its thread is left behind."""


class Worker:
    """Runs functions one after the other in a thread of its own.

    A hop between threads costs more than many a batch, so a stage is given up to `at_once` batches
    with one hop, and asked for as many results.
    """

    at_once = 8

    def __init__(self, name: str, interrupt: Callable[[], None]) -> None:
        self._name = name
        self._interrupt = interrupt
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._abandoned = False

    async def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Await `function(...)`. If the caller is cancelled, the call is interrupted first."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[R] = loop.create_future()
        self._jobs.put(lambda: _settle(loop, done, function, args, kwargs))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            self._abandoned = True  # stays so if a second cancellation ends the wait
            with suppress(Exception):
                self._interrupt()
            finished, _ = await asyncio.wait({done}, timeout=INTERRUPTED_CALL_SECONDS)
            self._abandoned = not finished
            if finished:
                done.exception()
            raise

    @property
    def abandoned(self) -> bool:
        """Whether a call did not return after its interruption; nothing more can be run."""
        return self._abandoned

    async def close(self, function: Callable[[], None]) -> None:
        """Call a last function in the thread, unless it is abandoned, and let the thread end."""
        try:
            if not self._abandoned:
                await self.call(function)
        finally:
            self.stop()

    def stop(self) -> None:
        """Let the thread end after what it is doing."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def _settle(
    loop: asyncio.AbstractEventLoop,
    done: asyncio.Future[Any],
    function: Callable[..., Any],
    args: Any,
    kwargs: Any,
) -> None:
    result, failure = None, None
    try:
        result = function(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001  # carried to the awaiting task, whatever it is
        failure = error
    if not loop.is_closed():
        loop.call_soon_threadsafe(_deliver, done, result, failure)


def _deliver(done: asyncio.Future[Any], result: Any, failure: BaseException | None) -> None:
    if done.done():
        return
    if failure is None:
        done.set_result(result)
    else:
        done.set_exception(failure)
