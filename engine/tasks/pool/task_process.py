"""A process of a task as the server sees it: its life, and the jobs that it works on."""

from __future__ import annotations

import asyncio
import logging
from time import perf_counter
from typing import TYPE_CHECKING

import msgspec

from engine.run.report import SnapStatistics
from engine.tasks.pool.job import Job
from engine.tasks.pool.process import Process, described
from engine.tasks.wire.channel import MessageChannel
from engine.tasks.wire.messages import (
    Counts,
    Failed,
    Finish,
    Forget,
    FromJob,
    FromWorker,
    LogLine,
    Open,
    Ready,
    Response,
    ResponseHead,
    ResponsePiece,
    Spans,
    Tapped,
)

if TYPE_CHECKING:
    from engine.tasks.pool.pool import Pool

log = logging.getLogger(__name__)

QUICK_SECONDS = 0.25
"""How long a job may take, from when a process got it, while callers give up; otherwise the process
has too many at a time, of which the last ones are for nobody."""

_LEAST_LIMIT = 8


class Ending(msgspec.Struct, frozen=True):
    """How a process ended.

    `fatal`: another would end the same way. `killed`: by a signal, perhaps for lack of memory.
    """

    reason: str
    fatal: bool = False
    killed: bool = False


class TaskProcess:
    """`jobs` are those that it works on, by id.

    `given_up` are jobs that it still works on although nobody waits for them, and since when.
    `silent_since` is when it got work, or did a job while it had more to do; None if it is idle,
    which it has been since `idle_since`. `alone`: it works on a suspect and gets nothing else.
    `limit` is the number of jobs that it may have at a time.
    """

    def __init__(self, task: str, number: int, capacity: int, pool: Pool) -> None:
        self.limit = self._capacity = capacity
        self.ready = self.was_ready = False
        self.finishing = self.dismissed = False
        self.alone = False
        self.jobs: dict[int, Job] = {}
        self.given_up: dict[int, float] = {}
        self.counts: list[SnapStatistics] = []
        self.silent_since: float | None = None
        self.idle_since = 0.0
        self.process: Process | None = None
        self.number = number
        self._task = task
        self._pool = pool
        self._failure: Failed | None = None
        self._ready_or_lost = asyncio.Event()
        self._lost = asyncio.Event()
        self._now = asyncio.get_running_loop().time
        self.channel = MessageChannel(FromWorker, self._receive, self._on_lost)

    def __str__(self) -> str:
        return f"instance {self.number}" if self.number else "a process of the task"

    @property
    def title(self) -> str:
        """Its name in a list of processes."""
        return f"{self._task}: {self}" if self.number else f"{self._task}: runs"

    def about(self) -> dict[str, object]:
        """The fields of a log line that say where it comes from."""
        return {"task": self._task, **({"instance": self.number} if self.number else {})}

    @property
    def takes_work(self) -> bool:
        return self.ready and not self.finishing

    @property
    def load(self) -> int:
        """Number of jobs that it works on."""
        return len(self.jobs) + len(self.given_up)

    def begin(self, job: Job, now: float) -> None:
        """Give it a job. Raises JobError if that cannot begin."""
        self.channel.send(job.message(now))
        job.begun, job.given = now, perf_counter()
        if self.silent_since is None:
            self.silent_since = now
        self.jobs[job.id] = job
        job.process = self

    def give_up(self, job: Job) -> None:
        """Nobody waits for the job; a late result shows only that the process is alive."""
        if self.jobs.pop(job.id, None) is not None:
            self.given_up[job.id] = self._now()
            self.channel.send(Forget(job.id))

    def adapt(self, seconds: float) -> None:
        """Callers give up, and a job took so long: have fewer at a time if they are too slow."""
        if seconds > QUICK_SECONDS:
            self.limit = max(min(self.limit * 4 // 5, self.load), _LEAST_LIMIT)
        else:
            self.limit += 1
        self.limit = min(self.limit, self._capacity)

    def adapt_to_patience(self) -> None:
        """Have as many jobs at a time as the task allows."""
        self.limit = self._capacity

    def forget_before(self, time: float) -> None:
        """Jobs given up before that are lost: free their places."""
        for number in [number for number, since in self.given_up.items() if since < time]:
            del self.given_up[number]

    def finish(self) -> None:
        """Let it finish its jobs, and end."""
        if not self.finishing:
            self.finishing = True
            self.channel.send(Finish())

    def dismiss(self) -> None:
        """End it at once: the job that it works on is over for everybody else."""
        self.ready, self.dismissed = False, True
        self._ready_or_lost.set()
        self._lost.set()

    async def live(self, target: str, opening: bytes, start_timeout: float) -> Ending:
        """Run the process from its start to its end. If cancelled, `kill` it."""
        try:
            self.process = await Process.start(target, self.channel, self.title)
        except OSError as error:
            return Ending(f"its process could not be started: {error}")
        self.channel.send(Open(opening))
        try:
            async with asyncio.timeout(start_timeout):
                await self._ready_or_lost.wait()
            await self._lost.wait()
        except TimeoutError:
            await self.process.kill()
            return Ending(f"it was not ready within {start_timeout:g} seconds and was killed")
        if self.dismissed:
            await self.process.kill()
            return Ending("it was killed", killed=True)
        code = await self.process.end()
        if self._failure is not None:
            return Ending(self._failure.message, self._failure.fatal)
        return Ending(described(code), killed=code < 0)

    async def kill(self) -> None:
        if self.process is not None:
            await self.process.kill()

    def _receive(self, message: FromWorker) -> None:
        if message.__class__ is Response:  # nearly all are
            self._pass_on(message)
        elif isinstance(message, Ready):
            self.ready = self.was_ready = not self.dismissed
            self.idle_since = self._now()
            self._ready_or_lost.set()
            self._pool.taps.joined(self.channel)
            self._pool.process_ready(self)
        elif isinstance(message, Counts):
            if message.complete:
                self._pool.counted(message.snaps)
            else:
                self.counts = message.snaps
        elif isinstance(message, LogLine):
            self._log_line(message)
        elif isinstance(message, Spans):
            self._pool.send_spans(message.spans)
        elif isinstance(message, Tapped):
            self._pool.taps.received(message)
        elif isinstance(message, Failed):
            self._failure = message
        else:
            self._pass_on(message)

    def _pass_on(self, message: FromJob) -> None:
        job = self.jobs.get(message.id)
        if job is not None:
            if not job.take(message):
                self.silent_since = self._now()  # it has not done the job, but works on it
                return
            del self.jobs[message.id]
        elif (
            isinstance(message, ResponseHead | ResponsePiece)
            or self.given_up.pop(message.id, None) is None
        ):
            return
        now = self._now()
        if self.jobs or self.given_up:
            self.silent_since = now
        else:
            self.silent_since, self.idle_since = None, now
        self._pool.job_done(self, job)

    def _log_line(self, line: LogLine) -> None:
        extra = {**self.about(), "snap": line.label, "request_id": line.request_id}
        if line.is_failure:
            log.warning("%s", line.text, extra=extra)
        else:
            log.info("%s", line.text, extra=extra)

    def _on_lost(self) -> None:
        self.ready = False
        self._pool.taps.left(self.channel)
        self._ready_or_lost.set()
        self._lost.set()
