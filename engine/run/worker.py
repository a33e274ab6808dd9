"""A thread for a blocking stage, so that it never blocks the event loop.

The thread is a daemon: a call that cannot be interrupted (such as a read from a pipe without a
writer) is left behind when the run ends, and does not keep the program alive.
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
"""How long an interrupted call may take to return before its thread is left behind."""


class Worker:
    """Runs functions one after another in its own thread.

    A switch between threads often costs more than a batch. A stage therefore gets up to `at_once`
    batches per switch, and is asked for as many results.
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
            self._abandoned = True  # remains set if a second cancellation ends the wait
            with suppress(Exception):
                self._interrupt()
            finished, _ = await asyncio.wait({done}, timeout=INTERRUPTED_CALL_SECONDS)
            self._abandoned = not finished
            if finished:
                done.exception()
            raise

    @property
    def abandoned(self) -> bool:
        """Whether an interrupted call did not return; then the worker can run nothing more."""
        return self._abandoned

    async def close(self, function: Callable[[], None]) -> None:
        """Call a last function in the thread, unless it is abandoned, and end the thread."""
        try:
            if not self._abandoned:
                await self.call(function)
        finally:
            self.stop()

    def stop(self) -> None:
        """End the thread after its current call."""
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
    except BaseException as error:  # noqa: BLE001  # passed to the awaiting task, whatever it is
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
