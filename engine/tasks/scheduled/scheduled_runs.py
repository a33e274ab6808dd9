"""The runs of a scheduled task: each in a process, and recorded before it starts."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable
from datetime import datetime

import msgspec

from engine.errors import ConfigurationError
from engine.run.files.rules import FileRules
from engine.run.identity import identify
from engine.tasks.pool.hosted_task import HostedTask
from engine.tasks.pool.job import JobError
from engine.tasks.pool.run import HostedRun
from engine.tasks.scheduled.history import Ending
from engine.tasks.scheduled.task_history import TaskHistory
from engine.tasks.wire.messages import Ended, RunFailure, Start

log = logging.getLogger(__name__)


class ScheduledRuns:
    """Starts runs of `hosted` in its current version. `now` gives the time in UTC."""

    def __init__(
        self, hosted: HostedTask, history: TaskHistory, now: Callable[[], datetime]
    ) -> None:
        self.ending = False
        """Whether the server ends its processes."""

        self._hosted = hosted
        self._history = history
        self._now = now
        self._numbers = itertools.count(1)
        self._runs: set[asyncio.Task[None]] = set()

    @property
    def is_busy(self) -> bool:
        """Whether a run is in progress, here or on another server, and no other may overlap it."""
        return not self._hosted.task.overlap and bool(self._runs or self._history.running())

    def begin(self, moment: datetime) -> None:
        """Start the run of that time, unless another server has it."""
        number = self._history.begin(moment, self._now())
        if number is None:
            return
        name = f"{self._hosted.task.name} at {moment.isoformat()}"
        run = asyncio.create_task(self._run(number, moment), name=name)
        self._runs.add(run)
        run.add_done_callback(self._runs.discard)

    async def ended(self, patience: float | None = None) -> None:
        """Wait for the runs in progress, but no longer than that."""
        if self._runs:
            await asyncio.wait(self._runs, timeout=patience)

    async def _run(self, number: int, moment: datetime) -> None:
        started = time.monotonic()
        end = await self._end_of_run(moment)
        seconds = time.monotonic() - started
        status: Ending = "completed"
        if end.failure is not None:
            status = "stopped" if end.failure.status in _STOPPED else "failed"
        self._hosted.statistics.record(500 if end.failure else 200, status, seconds)
        if status == "completed":  # the others have been logged
            log.info("run completed after %.1f s", seconds, extra=self._hosted.about)
        counts = {"snaps": end.report.get("snaps", [])}
        self._history.finish(number, self._now(), status, end.message, counts)

    async def _end_of_run(self, moment: datetime) -> Ended:
        schedule = self._hosted.task.schedule
        seconds = None if schedule is None else schedule.timeout
        reason = f"the run took longer than {seconds or 0:g} seconds"
        run = HostedRun(
            next(self._numbers),
            lambda number: self._start(number, moment),
            RunFailure(504, reason),
            seconds=seconds,
        )
        self._hosted.pool.submit(run)
        end = await run.ended()
        if end.failure is not None and end.failure.status == 503 and not self.ending:
            return msgspec.structs.replace(end, failure=RunFailure(500, end.message))
        return end

    def _start(self, number: int, moment: datetime) -> Start:
        hosted = self._hosted
        hosted.statistics.lags.add(max(0.0, (self._now() - moment).total_seconds()))
        rules = FileRules(allow_outside=hosted.task.allow_outside)
        try:
            return Start(number, identify(hosted.plan, hosted.task.parameters, files=rules))
        except ConfigurationError as error:
            log.error("run could not be started: %s", error, extra=self._hosted.about)
            raise JobError(RunFailure(500, str(error))) from None


_STOPPED = (503, 504)
"""Statuses of runs stopped by the shutdown (503) or by their timeout (504)."""
