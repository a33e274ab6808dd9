"""The event loop on which child runs run, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

R = TypeVar("R")

ENDING_SECONDS = 5.0
"""How long child runs that are stopped may take to close their snaps."""


class ChildLoop:
    """An event loop that other threads give work to. The thread does not keep the program alive."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="child pipelines", daemon=True)
        self._thread.start()

    def start(self, running: Coroutine[Any, Any, R]) -> Future[R]:
        """Run a coroutine as a task; cancelling the future cancels the task."""
        return asyncio.run_coroutine_threadsafe(running, self._loop)

    def call(self, function: Callable[..., object], *args: Any) -> None:
        """Call a function on the loop, soon."""
        with suppress(RuntimeError):  # the loop is closed, so nobody waits for it
            self._loop.call_soon_threadsafe(function, *args)

    def close(self) -> None:
        """Cancel what still runs, and end the thread."""
        with suppress(RuntimeError, TimeoutError):
            asyncio.run_coroutine_threadsafe(_cancel_all(), self._loop).result(ENDING_SECONDS)
        self.call(self._loop.stop)
        self._thread.join(ENDING_SECONDS)

    def _run(self) -> None:
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
