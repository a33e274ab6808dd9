"""A scheduled task: runs at its times, each in a process, with a history that outlives the server.

A run is recorded before it starts, so of several servers with one history only one runs it. No
failure of a run or of the history stops the clock.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import pickle
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

import msgspec

from engine.errors import ConfigurationError, EngineError
from engine.plan.plan import Plan
from engine.run.files.rules import FileRules
from engine.run.identity import identify
from engine.tasks.definition.schedule import Due, due, local_time, next_runs
from engine.tasks.definition.task import Schedule, Task
from engine.tasks.pool.hosted_task import HostedTask
from engine.tasks.pool.job import JobError
from engine.tasks.pool.pool import Pool
from engine.tasks.pool.run import HostedRun
from engine.tasks.pool.staffing import for_runs
from engine.tasks.pool.statistics import TaskStatistics
from engine.tasks.scheduled.history import Ending, History, RunRecord
from engine.tasks.wire.messages import Ended, RunFailure, RunOpening, Start

log = logging.getLogger(__name__)

R = TypeVar("R")

CLOCK_TOLERANCE = timedelta(seconds=60)
"""A clock that is set back by less needs no attention."""

MAX_SLEEP_SECONDS = 30.0
"""Seconds within which a changed clock, or a computer that has slept, is noticed."""


class Clock(Protocol):
    def now(self) -> datetime:
        """In UTC."""
        ...

    async def wait_until(self, moment: datetime) -> None:
        """Wait until then, or until the clock is set back."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def wait_until(self, moment: datetime) -> None:
        now = self.now()
        while now < moment:
            await asyncio.sleep(min((moment - now).total_seconds(), MAX_SLEEP_SECONDS))
            before, now = now, self.now()
            if now < before:
                return


class ScheduledTask(HostedTask):
    """Starts the runs of one task, and records how they end."""

    def __init__(
        self,
        task: Task,
        plan: Plan,
        statistics: TaskStatistics,
        history: History,
        clock: Clock | None = None,
    ) -> None:
        pool = Pool(task, for_runs(task, warm=False), _opening(plan), statistics)
        super().__init__(task, plan, statistics, pool)
        self._numbers = itertools.count(1)
        self.next_run: datetime | None = None
        self._history = history
        self._clock = clock or SystemClock()
        self._watch: asyncio.Task[None] | None = None
        self._runs: set[asyncio.Task[None]] = set()
        self._handled = self._clock.now()
        self._paused = False

    def start(self) -> None:
        """Continue where the last server stopped, and start the clock."""
        super().start()
        now = self._clock.now()
        last = self._try_history(lambda: self._history.last(self.task.identity))
        self._handled = now if last is None else last.scheduled_at
        self._begin_watch()

    async def reload(self, task: Task, plan: Plan) -> bool:
        """New runs use the new plan and schedule; False if it cannot be started."""
        schedule = self._schedule
        if not await self.pool.reload(task, for_runs(task, warm=False), _opening(plan)):
            return False
        await self._end_watch()
        now = self._clock.now()
        self._handle(due(schedule, self._handled, now))
        self._handled = max(self._handled, now)
        self.task, self.plan = task, plan
        self._begin_watch()
        if self._schedule != schedule:
            log.info("the schedule has changed; %s", self.next_run_text, extra=self._about())
        return True

    async def drain(self, patience: float) -> None:
        """Start no more runs; wait for those in progress, then end all processes."""
        await self._end_watch()
        await super().drain(patience)
        if self._runs:
            await asyncio.wait(self._runs)

    async def pause(self) -> None:
        """Start no more runs until `resume`; those in progress go on."""
        self._paused = True
        await self._end_watch()
        self.next_run = None

    def resume(self) -> None:
        """Go on with the schedule; the times in the pause are skipped."""
        self._paused = False
        now = self._clock.now()
        passed = due(self._schedule, self._handled, now)
        missed = [] if passed.missed is None else [passed.missed.last]
        if moments := [*missed, *passed.runs]:
            last, text = moments[-1], "the task was paused"
            log.info("runs up to %s skipped: %s", self._shown(last), text, extra=self._about())
            identity = self.task.identity
            self._try_history(lambda: self._history.skip(identity, last, text))
        self._handled = max(self._handled, now)
        self._begin_watch()

    async def runs_ended(self, patience: float) -> None:
        """Wait for the runs in progress, but no longer than that."""
        if self._runs:
            await asyncio.wait(self._runs, timeout=patience)

    def run_now(self) -> bool:
        """Start a run outside the schedule; False if an earlier one goes on and may not overlap."""
        if self._is_busy():
            return False
        log.info("run started by an operator", extra=self._about())
        self._begin_run(self._clock.now())
        return True

    def recent_runs(self, limit: int) -> list[RunRecord]:
        """The latest runs, latest first. Raises ExecutionError."""
        return self._history.recent(self.task.identity, limit)

    @property
    def next_time(self) -> str | None:
        """When the next run begins, in the zone of the schedule; None after the last one."""
        return None if self.next_run is None else self._shown(self.next_run)

    @property
    def next_run_text(self) -> str:
        """When it runs next, for the log."""
        return "no more runs" if self.next_run is None else f"next run at {self.next_time}"

    # The clock

    def _begin_watch(self) -> None:
        if self._paused:
            return
        self._catch_up()
        self._watch = asyncio.create_task(self._run_clock(), name=f"{self.task.name} clock")

    async def _end_watch(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
            self._watch = None

    async def _run_clock(self) -> None:
        while self.next_run is not None:
            await self._clock.wait_until(self.next_run)
            self._catch_up()
        log.info("the schedule has ended", extra=self._about())

    def _catch_up(self) -> None:
        """Handle everything that is due by now."""
        now = self._clock.now()
        self._check_clock(now)
        self._handle(due(self._schedule, self._handled, now))
        self._handled = max(self._handled, now)
        self.next_run = next(next_runs(self._schedule, self._handled), None)

    def _check_clock(self, now: datetime) -> None:
        """If the clock was set back, the times from now on come again."""
        if now >= self._handled - CLOCK_TOLERANCE:
            return
        text = "the clock was set back from %s to %s; the times between them come again"
        log.warning(text, self._shown(self._handled), self._shown(now), extra=self._about())
        self._handled, identity = now, self.task.identity
        self._try_history(lambda: self._history.forget_after(identity, now))

    def _handle(self, what: Due) -> None:
        missed = what.missed
        if missed is not None:
            log.warning("%s", missed, extra=self._about())
            identity, text = self.task.identity, str(missed)
            self._try_history(lambda: self._history.misfire(identity, missed.last, text))
        for moment in what.runs:
            self._fire(moment)

    @property
    def _schedule(self) -> Schedule:
        assert self.task.schedule is not None  # a scheduled task has one
        return self.task.schedule

    def _shown(self, moment: datetime) -> str:
        return local_time(moment, self._schedule.timezone)

    # Runs

    def _fire(self, moment: datetime) -> None:
        """Start the run of that time, unless an earlier one goes on or another server has it."""
        identity, when = self.task.identity, self._shown(moment)
        if self._is_busy():
            text = "an earlier run was still in progress"
            log.warning("run of %s skipped: %s", when, text, extra=self._about())
            self._try_history(lambda: self._history.skip(identity, moment, text))
        else:
            self._begin_run(moment)

    def _is_busy(self) -> bool:
        """Whether a run is in progress, here or on another server, and no other may overlap it."""
        if self.task.overlap:
            return False
        identity = self.task.identity
        return bool(len(self._runs) or self._try_history(lambda: self._history.running(identity)))

    def _begin_run(self, moment: datetime) -> None:
        number: int | None = None
        try:
            number = self._history.begin(self.task.identity, moment, self._clock.now())
            if number is None:
                return
        except EngineError as error:  # a broken history must not stop the work
            log.error("%s", error, extra=self._about())
        name = f"{self.task.name} at {self._shown(moment)}"
        run = asyncio.create_task(self._run(number, moment), name=name)
        self._runs.add(run)
        run.add_done_callback(self._runs.discard)

    async def _run(self, number: int | None, moment: datetime) -> None:
        started = time.monotonic()
        end = await self._end_of_run(moment)
        seconds = time.monotonic() - started
        status: Ending = "completed"
        if end.failure is not None:
            status = "stopped" if end.failure.status in _STOPPED else "failed"
        self.statistics.record(500 if end.failure else 200, status, seconds)
        if status == "completed":  # the pool has logged the others
            log.info("run completed after %.1f s", seconds, extra=self._about())
        if number is not None:
            counts = {"snaps": end.report.get("snaps", [])}
            self._try_history(
                lambda: self._history.finish(number, self._clock.now(), status, end.message, counts)
            )

    async def _end_of_run(self, moment: datetime) -> Ended:
        seconds = self._schedule.timeout
        reason = f"the run took longer than {seconds or 0:g} seconds"
        too_late = RunFailure(504, reason)
        run = HostedRun(
            next(self._numbers),
            lambda number: self._start(number, moment),
            too_late,
            seconds=seconds,
        )
        self.pool.submit(run)
        end = await run.ended()
        if end.failure is not None and end.failure.status == 503 and self._watch is not None:
            return msgspec.structs.replace(end, failure=RunFailure(500, end.message))
        return end

    def _start(self, number: int, moment: datetime) -> Start:
        self.statistics.lags.add(max(0.0, (self._clock.now() - moment).total_seconds()))
        rules = FileRules(allow_outside=self.task.allow_outside)
        try:
            return Start(number, identify(self.plan, self.task.parameters, files=rules))
        except ConfigurationError as error:
            log.error("run could not be started: %s", error, extra=self._about())
            raise JobError(RunFailure(500, str(error))) from None

    def _try_history(self, call: Callable[[], R]) -> R | None:
        """The result of a call to the history; None, and a log line, if the call fails."""
        try:
            return call()
        except EngineError as error:
            log.error("%s", error, extra=self._about())
            return None

    def _about(self) -> dict[str, object]:
        return {"task": self.task.name}


def _opening(plan: Plan) -> bytes:
    return pickle.dumps(RunOpening(plan), pickle.HIGHEST_PROTOCOL)


_STOPPED = (503, 504)
"""Statuses of runs stopped by the shutdown (503) or by their timeout (504)."""
