"""A task of any type, as the server sees it."""

from __future__ import annotations

from collections.abc import Callable, Sized
from typing import Protocol

from engine.plan.plan import Plan
from engine.tasks.definition.loading import Loaded
from engine.tasks.definition.task import Task
from engine.tasks.pool.statistics import TaskStatistics
from engine.tasks.pool.tap_board import TapBoard
from engine.tasks.scheduled.history import History
from engine.tasks.scheduled.scheduler import ScheduledTask
from engine.tasks.triggered.triggered import TriggeredTask
from engine.tasks.ultra.feed_master import FeedMaster
from engine.tasks.wire.messages import SnapCounts


class Hosted(Protocol):
    """What the server needs of a task."""

    task: Task
    statistics: TaskStatistics

    @property
    def plan(self) -> Plan: ...
    @property
    def taps(self) -> TapBoard: ...
    @property
    def is_ready(self) -> bool: ...
    @property
    def disabled(self) -> str:
        """Why it cannot run; empty if it can."""
        ...

    @property
    def queue_depth(self) -> int:
        """Number of waiting requests."""
        ...

    @property
    def in_flight(self) -> int:
        """Number of requests in progress."""
        ...

    @property
    def instances(self) -> Sized:
        """Its processes."""
        ...

    def snap_counts(self) -> list[SnapCounts]: ...
    def start(self) -> None: ...
    async def reload(self, task: Task, plan: Plan) -> bool:
        """Switch to a new version without losing a request; False if it cannot be started."""
        ...

    async def drain(self, patience: float) -> None:
        """Refuse new requests, let the open ones finish, and end all processes."""
        ...


def host(loaded: Loaded, history: Callable[[], History]) -> Hosted:
    """The task, not started yet. `history` is called for scheduled tasks only."""
    task, plan, statistics = loaded.task, loaded.plan, TaskStatistics()
    if task.type == "triggered":
        return TriggeredTask(task, plan, statistics)
    if task.type == "scheduled":
        return ScheduledTask(task, plan, statistics, history())
    return FeedMaster(task, plan, statistics)
