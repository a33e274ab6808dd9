"""A scheduled task: runs at its times, each in a process, with a history that outlives the server.

A run is recorded before it starts, so of several servers with one history only one runs it. No
failure of a run or of the history stops the clock.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Protocol

from engine.plan.plan import Plan
from engine.tasks.definition.schedule import Due, due, local_time, next_runs
from engine.tasks.definition.task import Schedule, Task
from engine.tasks.pool.hosted_task import HostedTask
from engine.tasks.pool.statistics import TaskStatistics
from engine.tasks.scheduled.history import History
from engine.tasks.scheduled.scheduled_runs import ScheduledRuns
from engine.tasks.scheduled.task_history import TaskHistory

log = logging.getLogger(__name__)

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
        super().__init__(task, plan, statistics)
        self.next_run: datetime | None = None
        self.history = TaskHistory(self, history)
        self._clock = clock or SystemClock()
        self.runs = ScheduledRuns(self, self.history, self._clock.now)
        self._watch: asyncio.Task[None] | None = None
        self._handled = self._clock.now()
        self._paused = False

    def start(self) -> None:
        """Continue where the last server stopped, and start the clock."""
        super().start()
        now = self._clock.now()
        last = self.history.last()
        self._handled = now if last is None else last.scheduled_at
        self._begin_watch()

    async def reload(self, task: Task, plan: Plan) -> bool:
        """New runs use the new plan and schedule; False if it cannot be started."""
        schedule = self._schedule
        if not await self._switch_processes(task, plan):
            return False
        await self._end_watch()
        if self._paused:
            self._skip_passed()
        else:
            now = self._clock.now()
            self._handle(due(schedule, self._handled, now))
            self._handled = max(self._handled, now)
        self.task, self.plan = task, plan
        self._begin_watch()
        if self._schedule != schedule:
            log.info("the schedule has changed; %s", self.next_run_text, extra=self.about)
        return True

    async def drain(self, patience: float) -> None:
        """Start no more runs; wait for those in progress, then end all processes."""
        self.runs.ending = True
        await self._end_watch()
        await super().drain(patience)
        await self.runs.ended()

    async def pause(self) -> None:
        """Start no more runs until `resume`; those in progress go on."""
        self._paused = True
        await self._end_watch()
        self.next_run = None

    def resume(self) -> None:
        """Go on with the schedule; the times in the pause are skipped."""
        self._paused = False
        self._skip_passed()
        self._begin_watch()

    def _skip_passed(self) -> None:
        now = self._clock.now()
        passed = due(self._schedule, self._handled, now)
        missed = [] if passed.missed is None else [passed.missed.last]
        if moments := [*missed, *passed.runs]:
            last, text = moments[-1], "the task was paused"
            log.info("runs up to %s skipped: %s", self._shown(last), text, extra=self.about)
            self.history.note(last, "skipped", text)
        self._handled = max(self._handled, now)

    def run_now(self) -> bool:
        """Start a run outside the schedule; False if an earlier one goes on and may not overlap."""
        if self.runs.is_busy:
            return False
        log.info("run started by an operator", extra=self.about)
        self.runs.begin(self._clock.now())
        return True

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
        log.info("the schedule has ended", extra=self.about)

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
        log.warning(text, self._shown(self._handled), self._shown(now), extra=self.about)
        self._handled = now
        self.history.forget_after(now)

    def _handle(self, what: Due) -> None:
        missed = what.missed
        if missed is not None:
            log.warning("%s", missed, extra=self.about)
            self.history.note(missed.last, "misfired", str(missed))
        for moment in what.runs:
            self._fire(moment)

    @property
    def _schedule(self) -> Schedule:
        assert self.task.schedule is not None  # a scheduled task has one
        return self.task.schedule

    def _shown(self, moment: datetime) -> str:
        return local_time(moment, self._schedule.timezone)

    def _fire(self, moment: datetime) -> None:
        """Start the run of that time, unless an earlier one goes on or another server has it."""
        if not self.runs.is_busy:
            self.runs.begin(moment)
            return
        when, text = self._shown(moment), "an earlier run was still in progress"
        log.warning("run of %s skipped: %s", when, text, extra=self.about)
        self.history.note(moment, "skipped", text)
