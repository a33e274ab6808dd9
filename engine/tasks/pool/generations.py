"""The processes of a task over its versions: the current ones, and old ones that finish."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from engine.tasks.definition.task import Task
from engine.tasks.pool.generation import Generation
from engine.tasks.pool.staffing import Staffing
from engine.tasks.pool.task_process import TaskProcess

if TYPE_CHECKING:
    from engine.tasks.pool.pool import Pool

log = logging.getLogger(__name__)

IDLE_SECONDS = 30.0
"""How long a process beyond those always kept waits for another job."""


class Generations:
    """`current` gets all new jobs."""

    def __init__(self, task: Task, staffing: Staffing, opening: bytes, pool: Pool) -> None:
        self.current = Generation(task, staffing, opening, pool)
        self.changed = asyncio.Event()
        """Set when a process is ready or has ended."""

        self._others: set[Generation] = set()
        self._pool = pool
        self._background: set[asyncio.Task[None]] = set()

    @property
    def processes(self) -> list[TaskProcess]:
        """The running ones, of all versions."""
        return [each for generation in self._all() for each in generation.processes]

    @property
    def staffing(self) -> Staffing:
        return self.current.staffing

    def least_busy(self, watched: TaskProcess | None = None) -> TaskProcess | None:
        """The process for the next job; None if all have enough work."""
        least, chosen = self.staffing.capacity, None
        for process in self.current.processes:
            load = process.load
            free = process.takes_work and not process.alone and load < process.limit
            if load < least and free and process is not watched:
                least, chosen = load, process
        return chosen

    def watched(self) -> TaskProcess | None:
        """The process that does suspects, one by one."""
        return next((each for each in self.current.processes if each.takes_work), None)

    def supply(self, waiting: int, *, draining: bool) -> None:
        """Keep as many processes as the jobs need."""
        current, staffing = self.current, self.staffing
        wanted = 0 if draining else staffing.least
        if staffing.on_demand:
            busy = sum(1 for each in current.processes if each.jobs)
            of_old = sum(len(each.jobs) for other in self._others for each in other.processes)
            wanted = min(max(wanted, busy + waiting), staffing.most - of_old)
        elif waiting:
            wanted = staffing.least
        current.want(wanted)

    def hold(self, full: bool) -> None:
        """Take no more from the processes while callers leave too much unread."""
        for process in self.processes:
            if full:
                process.channel.pause()
            else:
                process.channel.resume()

    async def replace(self, task: Task, staffing: Staffing, opening: bytes) -> bool:
        """Switch to new processes once one of them is ready; the old ones finish their jobs.

        Returns False if none could be started; then nothing changes.
        """
        coming = Generation(task, staffing, opening, self._pool, trial=True)
        self._others.add(coming)
        try:
            coming.want(max(1, staffing.least))
            while not any(each.takes_work for each in coming.processes):
                if coming.disabled:
                    await coming.stop()
                    return False
                await self.change()
        finally:
            self._others.discard(coming)
        old, self.current = self.current, coming
        self._in_background(self._finish(old))
        return True

    async def change(self) -> None:
        self.changed.clear()
        await self.changed.wait()

    async def stop(self) -> None:
        """End all processes at once."""
        await asyncio.gather(*(generation.stop() for generation in self._all()))
        for work in self._background:
            work.cancel()

    def end_idle(self, now: float) -> None:
        """End processes that were started for more jobs than there are now."""
        current = self.current
        idle = [each for each in current.processes if each.takes_work and not each.load]
        for process in idle[: max(0, len(current.processes) - current.staffing.least)]:
            if now - process.idle_since >= IDLE_SECONDS:
                process.finish()

    def end_stuck(self, now: float, patience: float) -> None:
        """Kill processes that have had work for so long without doing any job.

        One that does a suspect alone has no other work once that has timed out.
        """
        for process in self.processes:
            process.forget_before(now - patience)
            since = process.silent_since
            silence = 0.0 if since is None else now - since
            is_over = silence >= patience or (process.alone and not process.jobs)
            if is_over and process.ready:
                text = "%s has not responded for %.1f seconds; killing it"
                log.warning(text, process, silence, extra=process.about())
                process.ready = False  # no other job is to die with it
                self._in_background(process.kill())

    def _all(self) -> list[Generation]:
        return [self.current, *self._others]

    async def _finish(self, generation: Generation) -> None:
        """Jobs that are still open in the end are done by the new processes, if that is allowed."""
        self._others.add(generation)
        generation.retire()
        for process in list(generation.processes):
            process.finish()
        task = generation.task
        patience = task.timeouts.drain if generation.staffing.redeliveries else None
        try:
            async with asyncio.timeout(patience):
                await generation.ended()
        except TimeoutError:
            text = "instances of the old pipeline were killed while they had work"
            log.warning(text, extra={"task": task.name})
        finally:
            await generation.stop()
            self._others.discard(generation)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
