"""What all types of tasks have in common: a pool, and what operators see of it."""

from __future__ import annotations

import pickle

from engine.plan.plan import Plan
from engine.run.report import SnapStatistics
from engine.tasks.definition.task import Task
from engine.tasks.pool.pool import Pool
from engine.tasks.pool.staffing import staffing_of
from engine.tasks.pool.statistics import TaskStatistics
from engine.tasks.pool.tap_board import TapBoard
from engine.tasks.pool.task_process import TaskProcess
from engine.tasks.wire.messages import InstanceOpening, RunOpening


class HostedTask:
    """A task and its pool."""

    def __init__(self, task: Task, plan: Plan, statistics: TaskStatistics) -> None:
        self.task = task
        self.plan = plan
        self.statistics = statistics
        self.pool = Pool(task, staffing_of(task), self._opened(task, plan), statistics)

    async def reload(self, task: Task, plan: Plan) -> bool:
        """Switch to a new version without losing a request; False if it cannot be started."""
        if not await self._switch_processes(task, plan):
            return False
        self.task, self.plan = task, plan
        return True

    async def _switch_processes(self, task: Task, plan: Plan) -> bool:
        return await self.pool.reload(task, staffing_of(task), self._opened(task, plan))

    def opening(self, task: Task, plan: Plan) -> InstanceOpening | RunOpening:
        """What its processes run."""
        return RunOpening(plan, task.status_from_document, task.input_schema)

    def _opened(self, task: Task, plan: Plan) -> bytes:
        return pickle.dumps(self.opening(task, plan), pickle.HIGHEST_PROTOCOL)

    def start(self) -> None:
        self.pool.start()

    @property
    def about(self) -> dict[str, object]:
        """The fields of a log line that say what it is about."""
        return {"task": self.task.name}

    @property
    def is_ready(self) -> bool:
        return self.pool.generations.current.is_ready

    @property
    def disabled(self) -> str:
        """Why the task cannot run; empty if it can."""
        return self.pool.generations.current.disabled

    @property
    def next_time(self) -> str | None:
        """When the next run of a schedule begins, in its zone; None if there is none."""
        return None

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

    def snap_counts(self) -> list[SnapStatistics]:
        return self.pool.snap_counts()

    async def drain(self, patience: float) -> None:
        """Refuse new requests, let the open ones finish, and end all processes."""
        await self.pool.drain(patience)
