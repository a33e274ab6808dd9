"""A thread for a blocking stage, so that it never blocks the event loop.

The thread is a daemon: a call that cannot be interrupted (such as a read from a pipe without a
writer) is left behind when the run ends, and does not keep the program alive.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from time import perf_counter
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

Ending = tuple[Exception | None, bool]
"""The error that ended the results, if any, and whether there may be more of them."""

GATHER_SECONDS = 0.002
"""How long results of a blocking stage are collected before they are passed on."""

WAITING_SECONDS = 0.01
"""How long collected results wait for another one. Longer, so that few calls are cut short."""

INTERRUPTED_CALL_SECONDS = 1.5
"""How long an interrupted call may take to return before its thread is left behind."""


class Worker:
    """Runs functions one after another in its own thread.

    A switch between threads often costs more than a batch. A stage therefore gets up to `at_once`
    batches per switch, and is asked for as many results. But no result waits for the next one for
    longer than WAITING_SECONDS.
    """

    at_once = 8

    def __init__(self, name: str, interrupt: Callable[[], None]) -> None:
        self._name = name
        self._interrupt = interrupt
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._abandoned = False
        self._gathering: asyncio.Future[Ending] | None = None
        self._gathered: Gathered[Any] = Gathered()

    async def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Await `function(...)`. If the caller is cancelled, the call is interrupted first."""
        done = self._begin(function, *args, **kwargs)
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            await self._break_off(done)
            raise

    async def gather(self, results: Iterator[R]) -> tuple[list[R], Exception | None, bool]:
        """The next results, the error after them if any, and whether there may be more.

        Ready results do not wait for a slow one after them. If the caller is cancelled, the thread
        is interrupted first.
        """
        if self._gathering is None:
            self._gathered.awaited = False
            self._gathering = self._begin(collect, results, self._gathered, self.at_once)
        running, gathered = self._gathering, self._gathered
        loop = asyncio.get_running_loop()
        ready = loop.create_future()

        def wake(*_: object) -> None:
            if not ready.done() and (running.done() or gathered):
                ready.set_result(None)

        def expire() -> None:
            gathered.awaited = True  # before looking: the thread appends before it looks
            wake()

        running.add_done_callback(wake)
        timer = loop.call_later(WAITING_SECONDS, expire)
        try:
            await ready
        except asyncio.CancelledError:
            await self._break_off(running)
            raise
        finally:
            timer.cancel()
            running.remove_done_callback(wake)
        failure, more = None, True
        if running.done():
            self._gathering = None
            failure, more = running.result()
        return [gathered.popleft() for _ in range(len(gathered))], failure, more

    @property
    def abandoned(self) -> bool:
        """Whether an interrupted call did not return; then the worker can run nothing more."""
        return self._abandoned

    async def close(self, function: Callable[[], None]) -> None:
        """Call a last function in the thread, unless it is abandoned, and end the thread."""
        try:
            if self._gathering is not None:
                await self._break_off(self._gathering)
            if not self._abandoned:
                await self.call(function)
        finally:
            self.stop()

    def stop(self) -> None:
        """End the thread after its current call."""
        self._jobs.put(None)

    def _begin(
        self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[R]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[R] = loop.create_future()
        self._jobs.put(lambda: _settle(loop, done, function, args, kwargs))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        return done

    async def _break_off(self, call: asyncio.Future[Any]) -> None:
        """Interrupt a call, and wait for it to return."""
        if call.done():
            return
        self._abandoned = True  # remains set if a second cancellation ends the wait
        with suppress(Exception):  # a call that goes on is left behind all the same
            self._interrupt()
        finished, _ = await asyncio.wait({call}, timeout=INTERRUPTED_CALL_SECONDS)
        self._abandoned = not finished
        if finished:
            call.exception()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


class Gathered(deque[R]):
    """Results that have not been taken yet. `awaited`: they must not wait for another one."""

    awaited = False


def collect(results: Iterator[Any], into: Gathered[Any], at_once: int) -> Ending:
    """Append up to `at_once` results; those before an error are kept."""
    end = perf_counter() + GATHER_SECONDS
    count = 0
    try:
        for result in results:
            into.append(result)
            count += 1
            if count >= at_once or into.awaited or perf_counter() >= end:
                return None, True
    except Exception as error:  # noqa: BLE001  # raised again once the results are delivered
        return error, False
    return None, False


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
