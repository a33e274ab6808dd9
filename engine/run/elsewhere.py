"""Stages of a run that other processes take over, as the run sees them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from engine.documents import Batch
from engine.plan.plan import Port, Stage
from engine.run.inbox import Inbox
from engine.run.report import SnapStatistics

if TYPE_CHECKING:
    from engine.run.execution import Execution

Deliver = Callable[[Port, Batch], Awaitable[None]]


class RemoteStage(Protocol):
    """A stage that runs in other processes, as the run sees it.

    `open` creates and opens the snaps there; `work` takes what comes into the inbox until all its
    views have ended, and delivers the results; `finish` delivers what the snaps held back. All
    three raise EngineError, and may be cancelled.
    """

    @property
    def statistics(self) -> list[SnapStatistics]: ...
    async def open(self) -> None: ...
    async def work(self, inbox: Inbox, deliver: Deliver) -> None: ...
    async def finish(self, deliver: Deliver) -> None: ...


class Elsewhere(Protocol):
    """Takes stages of a run to other processes."""

    def stages(self, execution: Execution) -> Mapping[Stage, RemoteStage]: ...
