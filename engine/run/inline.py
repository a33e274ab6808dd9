"""Calls a stage that never waits for the outside directly, without a thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from engine.documents import Batch
from engine.plan.plan import Port
from engine.run.host import Outputs
from engine.run.stopping import Stopper
from engine.run.worker import Gathered, collect

R = TypeVar("R")


class Inline:
    """Has the methods of a Worker, and calls in the event loop."""

    at_once = 1

    def __init__(self, stopper: Stopper) -> None:
        self._stopper = stopper

    async def call(self, function: Callable[..., R], *args: Any) -> R:
        return self._stopper.call(function, *args)

    async def gather(
        self, outputs: Outputs
    ) -> tuple[Iterable[tuple[Port, Batch]], Exception | None, bool]:
        """The next result, the error after it if any, and whether there may be more."""
        results: Gathered[tuple[Port, Batch]] = Gathered()
        failure, more = self._stopper.call(collect, outputs, results, self.at_once)
        return results, failure, more

    async def close(self, function: Callable[[], None]) -> None:
        function()
