"""The pool of a task: it gives jobs to processes.

Every job ends exactly once. Jobs that a process had in progress when it died are given to another,
as often as the task allows, in their old order and before all that wait. A job that has seen two
processes die is then done alone, so that one that kills its process does not take others with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from time import perf_counter

from engine.run.report import SnapStatistics
from engine.run.spans import SpanData
from engine.tasks.definition.task import Task
from engine.tasks.pool.generation import Generation
from engine.tasks.pool.generations import Generations
from engine.tasks.pool.job import Job, JobError
from engine.tasks.pool.jobs import Jobs
from engine.tasks.pool.staffing import Staffing
from engine.tasks.pool.statistics import SnapTotals, TaskStatistics
from engine.tasks.pool.tap_board import TapBoard
from engine.tasks.pool.task_process import Ending, TaskProcess
from engine.tasks.wire.messages import RunFailure
from engine.tasks.worker.failure_log import FailureLog

log = logging.getLogger(__name__)

WATCH_INTERVAL = 0.25
"""Seconds between two looks at the clock."""

IMPATIENT_SECONDS = 10.0
"""How long after a caller has given up jobs are done for those first that came last, because the
others will have given up too when their turn comes."""

MEMORY_FOR_BODIES = 512 * 1024 * 1024
"""Bytes of request bodies that a task may hold; beyond that its queue counts as full."""


class Pool:
    """The jobs of one task, and its processes."""

    def __init__(
        self, task: Task, staffing: Staffing, opening: bytes, statistics: TaskStatistics
    ) -> None:
        self.task = task
        self.jobs = Jobs()
        self.taps = TapBoard()
        self.generations = Generations(task, staffing, opening, self)
        self.send_spans: Callable[[list[SpanData]], None] = lambda spans: None
        """Replaced if there is a collector for the spans of requests."""

        self._statistics = statistics
        self._timeouts = FailureLog(partial(_log_timeout, task.name))
        self._totals = SnapTotals()
        self._draining = False
        self._impatient_until = 0.0
        self._watch: asyncio.Task[None] | None = None
        self._now = asyncio.get_running_loop().time

    # For the task

    def start(self) -> None:
        self._dispatch()
        self._watch = asyncio.create_task(self._watch_time(), name=f"{self.task.name} clock")

    def snap_counts(self) -> list[SnapStatistics]:
        return self._totals.with_running(each.counts for each in self.generations.processes)

    def submit(self, job: Job) -> None:
        """Do the job, or fail it at once if it cannot wait."""
        jobs, generations = self.jobs, self.generations
        waiting, on_demand = jobs.waiting, generations.staffing.on_demand
        refusal = self._refusal(job, waiting)
        if refusal is not None:
            job.fail(refusal)
            return
        process = None if waiting or on_demand else generations.least_busy()
        jobs.open(job)
        if process is None:
            jobs.wait(job)
            self._dispatch()
            return
        process.begin(job, self._now())
        if len(jobs) == 1:
            process.channel.flush()  # nothing else would share the frame

    def withdraw(self, number: int) -> None:
        """Nobody waits for the job any more."""
        job = self.jobs.get(number)
        if job is not None:
            self._impatient_until = self._now() + IMPATIENT_SECONDS
            self._take_away(job)
            self._dispatch()

    async def reload(self, task: Task, staffing: Staffing, opening: bytes) -> bool:
        """Switch to a new version; False if it cannot be started."""
        if not await self.generations.replace(task, staffing, opening):
            return False
        self.task = task
        self._dispatch()
        return True

    async def drain(self, patience: float) -> None:
        """Refuse new jobs; let the open ones end, then end all processes."""
        self._draining = True
        end = self._now() + patience
        while self.jobs and (left := end - self._now()) > 0:
            if not self.jobs.waiting:
                for process in self.generations.processes:
                    process.finish()
            try:
                async with asyncio.timeout(left):
                    await self.generations.change()
            except TimeoutError:
                break
        if count := len(self.jobs):
            text = "1 request was" if count == 1 else f"{count} requests were"
            about = {"task": self.task.name}
            log.warning("%s still open at shutdown and not answered", text, extra=about)
        self._timeouts.flush(last=True)
        self._fail_all(_SHUTTING_DOWN)
        await self.generations.stop()
        if self._watch is not None:
            self._watch.cancel()

    def _refusal(self, job: Job, waiting: int) -> RunFailure | None:
        current, jobs, room = self.generations.current, self.jobs, self.task.limits.queue
        if self._draining:
            return _SHUTTING_DOWN
        if current.disabled:
            return _DISABLED
        if current.staffing.on_demand:
            room += current.staffing.most - jobs.active
        if waiting >= room or jobs.size + job.size > MEMORY_FOR_BODIES:
            return _FULL
        return None

    # Jobs for the processes

    def _dispatch(self) -> None:
        while self.jobs.waiting:
            process, job = self._next_delivery()
            if process is None or job is None:
                break
            try:
                process.begin(job, self._now())
            except JobError as error:
                self.jobs.settle(job)
                job.fail(error.failure)
        self.generations.supply(self.jobs.waiting, draining=self._draining)

    def _next_delivery(self) -> tuple[TaskProcess | None, Job | None]:
        """The next job and its process; None if all have enough work."""
        jobs, generations = self.jobs, self.generations
        if generations.staffing.on_demand and jobs.active >= generations.staffing.most:
            return None, None
        watched = generations.watched() if jobs.has_suspects else None
        if watched is not None and not watched.load:
            watched.alone = True
            return watched, jobs.next_suspect()
        chosen = generations.least_busy(watched)  # the watched one has to finish its jobs first
        if chosen is None:
            return None, None
        return chosen, jobs.next(latest=self._now() < self._impatient_until)

    # From the processes

    def process_ready(self, process: TaskProcess) -> None:
        if process.number:
            pid = process.process.pid if process.process else 0
            log.info("%s is ready (process %s)", process, pid, extra=process.about())
        self._dispatch()
        self.generations.changed.set()

    def job_done(self, process: TaskProcess, job: Job | None) -> None:
        """The process has done a job; None for one that was given up before."""
        if not process.jobs:
            process.alone = False
        if job is None:
            self._statistics.late += 1
        else:
            self.jobs.settle(job)
            self._statistics.waits.add(job.given - job.accepted)
            self._statistics.works.add(perf_counter() - job.given)
            if self._impatient_until and not self.generations.staffing.on_demand:
                process.adapt(self._now() - job.begun)
        if self.jobs.waiting:
            self._dispatch()
        if self._draining or not self.jobs:
            self.generations.changed.set()

    def counted(self, counts: list[SnapStatistics]) -> None:
        """Counts that are complete."""
        self._totals.keep(counts)

    def process_ended(self, process: TaskProcess, ending: Ending) -> None:
        self._totals.keep(process.counts)
        again = []
        for job in process.jobs.values():
            job.deaths += 1
            job.process = None
            if job.can_repeat and job.deaths <= self.generations.staffing.redeliveries:
                self._statistics.redeliveries += 1
                again.append(job)
                continue
            failure = job.lost(ending.reason)
            about = {**process.about(), "request_id": job.tag.id}
            log.error("%s failed: %s", job.kind, failure.reason, extra=about)
            self.jobs.settle(job)
            job.fail(failure)
        process.jobs.clear()
        self.jobs.wait_again(again)
        self._dispatch()
        self.generations.changed.set()

    def process_replaced(self) -> None:
        """Another is started in place of one that had worked."""
        self._statistics.restarts += 1

    def generation_disabled(self, generation: Generation) -> None:
        """Its processes could not be started, and it has given up."""
        if generation is self.generations.current:
            self._fail_all(_DISABLED)
        self.generations.changed.set()

    # The end of jobs

    def _take_away(self, job: Job) -> None:
        """The job is over, though its process may still work on it."""
        self.jobs.settle(job)
        process = job.process
        if process is None:
            self._statistics.waits.add(perf_counter() - job.accepted)
            return
        if self.generations.staffing.on_demand:  # one job at a time: the process ends with it
            del process.jobs[job.id]
            process.dismiss()
        else:
            process.give_up(job)

    def _fail_all(self, failure: RunFailure) -> None:
        for job in self.jobs.all():
            self._take_away(job)
            job.fail(failure)

    async def _watch_time(self) -> None:
        while True:
            await asyncio.sleep(WATCH_INTERVAL)
            try:
                self._look(self._now())
            except Exception:  # a bug of ours must not stop the clock
                about = {"task": self.task.name}
                log.exception("checking for overdue requests failed", extra=about)

    def _look(self, now: float) -> None:
        for job in self.jobs.overdue(now):
            self._take_away(job)
            self._timeouts.add({"reason": job.too_late.reason}, job.tag.id)
            job.fail(job.too_late)
        self._timeouts.flush()
        if self._impatient_until and now > self._impatient_until:
            self._impatient_until = 0.0
            for process in self.generations.processes:
                process.adapt_to_patience()
        if self.generations.staffing.on_demand:
            self.generations.end_idle(now)
        else:
            self.generations.end_stuck(now, self.task.timeouts.request)
        self._dispatch()  # jobs that timed out have freed their places


def _log_timeout(task: str, label: str, text: str, request_id: str) -> None:
    log.warning("%s", text, extra={"task": task, "request_id": request_id})


_DISABLED = RunFailure(
    503, "the task is disabled: its pipeline could not be started", "", "see the server's log"
)
_SHUTTING_DOWN = RunFailure(503, "the server is shutting down", "", "try again later")
_FULL = RunFailure(503, "the queue of the task is full", "", "try again later")
