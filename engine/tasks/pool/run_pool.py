"""The front's side of runs: the processes of a task, and the queue in front of them.

Some processes are kept warm; under load more are started, which end after a while without work. A
process that dies, or whose run is aborted, is replaced; a run is never repeated.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections import deque
from collections.abc import Callable

from engine.errors import EngineError
from engine.plan.plan import Plan
from engine.tasks.definition.task import Task
from engine.tasks.pool.run import Run, RunWorker
from engine.tasks.pool.statistics import SnapTotals, TaskStatistics
from engine.tasks.pool.tap_board import TapBoard
from engine.tasks.wire.messages import Ended, OpenRuns, RunFailure, RunOpening, SnapCounts, Start

log = logging.getLogger(__name__)

IDLE_SECONDS = 30.0
"""How long a process beyond the warm ones waits for another run."""

_FIRST_PAUSE = 0.1
_MAX_PAUSE = 5.0


class RefusedError(EngineError):
    """The run cannot start now; nothing has been started."""


class RunPool:
    """The runs of one task. If `warm`, the task's `instances` are always kept."""

    def __init__(
        self,
        task: Task,
        plan: Plan,
        statistics: TaskStatistics,
        *,
        warm: bool,
    ) -> None:
        self.task = task
        self.plan = plan
        self.disabled = ""
        self.taps = TapBoard()
        self._statistics = statistics
        self._totals = SnapTotals()
        self._opening = _opening(task, plan)
        self._is_warm = warm
        self._workers: set[RunWorker] = set()
        self._lives: dict[RunWorker, asyncio.Task[None]] = {}
        self._idle: list[RunWorker] = []
        self._upcoming: set[RunWorker] = set()
        self._waiting: deque[tuple[asyncio.Future[Run], Callable[[], Start]]] = deque()
        self._failures = 0
        self._pause: asyncio.TimerHandle | None = None
        self._draining = False
        self._quiet = asyncio.Event()

    # For the task

    def start(self) -> None:
        self._supply()

    @property
    def is_ready(self) -> bool:
        """Whether a warm process is ready, or the pool keeps none."""
        return not self.disabled and (not self._warm or any(w.ready for w in self._workers))

    @property
    def active(self) -> int:
        return sum(worker.run is not None for worker in self._lives)

    @property
    def queued(self) -> int:
        return len(self._waiting)

    @property
    def workers(self) -> list[RunWorker]:
        """All processes, those of the old plan included."""
        return list(self._lives)

    @property
    def _warm(self) -> int:
        return self.task.instances if self._is_warm else 0

    def snap_counts(self) -> list[SnapCounts]:
        """The counts of runs that have ended."""
        return self._totals.with_running(())

    async def begin(self, start: Callable[[], Start]) -> Run:
        """Wait for a process and start a run; `start` is called when its turn comes, and may raise.

        Raises RefusedError if too many are waiting, or the server is shutting down.
        """
        limits = self.task.limits
        if reason := self._refusal():
            raise RefusedError(reason)
        if self.active + self.queued >= limits.concurrent + limits.queue:
            raise RefusedError("the queue of the task is full")
        turn: asyncio.Future[Run] = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, start))
        self._supply()
        try:
            return await turn
        except asyncio.CancelledError:
            self._forget(turn)
            raise

    async def reload(self, task: Task, plan: Plan) -> bool:
        """Switch to a new plan once a process is ready for it; runs in progress keep the old one.

        Returns False if no process could be started; then nothing changes.
        """
        opening = _opening(task, plan)
        worker = self._start_worker(opening, task)
        self._upcoming.add(worker)
        try:
            if not await worker.started():
                log.error(
                    "the new pipeline could not be started: %s", worker.ending, extra=self._about()
                )
                return False
        finally:
            self._upcoming.discard(worker)
        self.task, self.plan, self._opening = task, plan, opening
        self._failures, self.disabled = 0, ""
        for old in list(self._workers):
            self._retire(old)
        self._workers.add(worker)
        self.freed(worker)
        return True

    async def drain(self, patience: float) -> None:
        """Accept no more runs; wait for the accepted ones, then end all processes."""
        self._draining = True
        try:
            async with asyncio.timeout(patience):
                while self.active or (self._waiting and not self.disabled):
                    self._quiet.clear()
                    await self._quiet.wait()
        except TimeoutError:
            log.warning("runs were aborted by the shutdown", extra=self._about())
        self._refuse_waiting("the server is shutting down")
        if self._pause is not None:
            self._pause.cancel()
        for worker in list(self._lives):
            if worker.run is not None:
                worker.run.abort(RunFailure(503, "the server is shutting down"))
            worker.finish()
        if self._lives:
            await asyncio.wait(self._lives.values())

    # From the processes

    def freed(self, worker: RunWorker) -> None:
        """The process is idle."""
        if worker in self._upcoming:
            return
        self._failures = 0
        if worker not in self._workers:
            worker.finish()
        else:
            self._idle.append(worker)
            if len(self._workers) > self._warm:
                worker.call_later(IDLE_SECONDS, lambda: self._end_idle(worker))
        self._supply()
        self._quiet.set()

    def ended(self, end: Ended) -> None:
        """A run is over."""
        self._totals.keep(_counts(end))
        if end.message and (end.failure is None or end.failure.status >= 500):
            log.error("run failed: %s", end.message, extra=self._about())

    def lost(self, worker: RunWorker) -> None:
        """The process has ended, whatever it was doing."""
        kept = worker in self._workers
        self._workers.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        self._lives.pop(worker, None)
        if kept and not self._draining and not worker.killed:
            self._statistics.restarts += 1
            log.warning("a process of the task exited: %s", worker.ending, extra=self._about())
        if kept and not worker.was_ready and not self._draining:
            self._count_failure(worker.ending)
        self._supply()
        self._quiet.set()

    # Processes

    def _supply(self) -> None:
        """Give waiting runs to idle processes, and start the processes that are missing."""
        concurrent = self.task.limits.concurrent
        while self._waiting and self._idle and self.active < concurrent:
            self._hand_over(self._idle.pop())
        if self._pause is not None or self.disabled:
            return
        busy = sum(worker.run is not None for worker in self._workers)
        warm = 0 if self._draining else self._warm
        of_old_plan = self.active - busy
        wanted = min(max(warm, busy + len(self._waiting)), concurrent - of_old_plan)
        for _ in range(wanted - len(self._workers)):
            self._workers.add(self._start_worker(self._opening, self.task))

    def _hand_over(self, worker: RunWorker) -> None:
        turn, start = self._waiting.popleft()
        if turn.done():
            self._idle.append(worker)
            return
        try:
            message = start()
        except Exception as error:  # noqa: BLE001  # passed to the caller of `begin`
            turn.set_exception(error)
            self._idle.append(worker)
            return
        turn.set_result(worker.begin(message))

    def _start_worker(self, opening: bytes, task: Task) -> RunWorker:
        worker = RunWorker(self, task.name, self.taps)
        life = worker.live(OpenRuns(opening), task.timeouts.start)
        self._lives[worker] = asyncio.create_task(life, name=f"{task.name} runs")
        return worker

    def _forget(self, turn: asyncio.Future[Run]) -> None:
        """The caller of `begin` has gone, perhaps just when its turn came."""
        if turn.done() and not turn.cancelled() and turn.exception() is None:
            turn.result().cancel()
        self._waiting = deque(each for each in self._waiting if each[0] is not turn)
        self._quiet.set()

    def _retire(self, worker: RunWorker) -> None:
        """Give the process no more runs; it ends after its current one."""
        self._workers.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        if worker.run is None:
            worker.finish()

    def _end_idle(self, worker: RunWorker) -> None:
        if worker in self._idle and len(self._workers) > self._warm:
            self._retire(worker)

    def _count_failure(self, reason: str) -> None:
        self._failures += 1
        if self._failures >= self.task.limits.failures > 0:
            self.disabled = reason
            log.error("the task could not be started: %s", reason, extra=self._about())
            self._refuse_waiting(_DISABLED)
            return
        pause = min(_MAX_PAUSE, _FIRST_PAUSE * 2 ** (self._failures - 1))
        self._pause = asyncio.get_running_loop().call_later(pause, self._end_pause)

    def _end_pause(self) -> None:
        self._pause = None
        self._supply()

    def _refusal(self) -> str:
        if self._draining:
            return "the server is shutting down"
        return _DISABLED if self.disabled else ""

    def _refuse_waiting(self, reason: str) -> None:
        while self._waiting:
            turn, _ = self._waiting.popleft()
            if not turn.done():
                turn.set_exception(RefusedError(reason))

    def _about(self) -> dict[str, object]:
        return {"task": self.task.name}


class PooledTask:
    """Base of triggered and scheduled tasks, whose runs are those of a pool."""

    def __init__(self, task: Task, statistics: TaskStatistics, pool: RunPool) -> None:
        self.task = task
        self.statistics = statistics
        self._pool = pool

    @property
    def plan(self) -> Plan:
        return self._pool.plan

    @property
    def taps(self) -> TapBoard:
        return self._pool.taps

    @property
    def is_ready(self) -> bool:
        return self._pool.is_ready

    @property
    def disabled(self) -> str:
        """Why the task cannot run; empty if it can."""
        return self._pool.disabled

    @property
    def queue_depth(self) -> int:
        return self._pool.queued

    @property
    def in_flight(self) -> int:
        return self._pool.active

    @property
    def instances(self) -> list[RunWorker]:
        """The running processes."""
        return self._pool.workers

    def snap_counts(self) -> list[SnapCounts]:
        return self._pool.snap_counts()


_DISABLED = "the task is disabled: its process could not be started"


def _opening(task: Task, plan: Plan) -> bytes:
    opening = RunOpening(plan, task.status_from_document)
    return pickle.dumps(opening, pickle.HIGHEST_PROTOCOL)


def _counts(end: Ended) -> list[SnapCounts]:
    return [
        SnapCounts(
            snap["label"], snap["snap"], snap["in"], snap["out"], snap["dropped"], snap["errors"]
        )
        for snap in end.report.get("snaps", ())
    ]
