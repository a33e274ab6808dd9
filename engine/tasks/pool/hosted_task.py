"""What all types of tasks have in common: a pool, and what operators see of it."""

from __future__ import annotations

from abc import ABC, abstractmethod

from engine.plan.plan import Plan
from engine.tasks.definition.task import Task
from engine.tasks.pool.pool import Pool
from engine.tasks.pool.statistics import TaskStatistics
from engine.tasks.pool.tap_board import TapBoard
from engine.tasks.pool.task_process import TaskProcess
from engine.tasks.wire.messages import SnapCounts

RETRY_AFTER = "1"
"""Seconds after which a caller that was refused may try again."""


class HostedTask(ABC):
    """A task and its pool."""

    def __init__(self, task: Task, plan: Plan, statistics: TaskStatistics, pool: Pool) -> None:
        self.task = task
        self.plan = plan
        self.statistics = statistics
        self.pool = pool

    @abstractmethod
    async def reload(self, task: Task, plan: Plan) -> bool:
        """Switch to a new version without losing a request; False if it cannot be started."""

    def start(self) -> None:
        self.pool.start()

    @property
    def is_ready(self) -> bool:
        return self.pool.generations.current.is_ready

    @property
    def disabled(self) -> str:
        """Why the task cannot run; empty if it can."""
        return self.pool.generations.current.disabled

    @property
    def queue_depth(self) -> int:
        """Number of waiting requests."""
        return self.pool.jobs.waiting

    @property
    def in_flight(self) -> int:
        """Number of requests in progress."""
        return self.pool.jobs.active

    @property
    def instances(self) -> list[TaskProcess]:
        """Its processes."""
        return self.pool.generations.processes

    @property
    def taps(self) -> TapBoard:
        return self.pool.taps

    def snap_counts(self) -> list[SnapCounts]:
        return self.pool.snap_counts()

    async def drain(self, patience: float) -> None:
        """Refuse new requests, let the open ones finish, and end all processes."""
        await self.pool.drain(patience)
