"""The processes of one version of a task: as many as are wanted, each replaced when it ends."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from engine.tasks.definition.task import Task
from engine.tasks.pool.staffing import Staffing
from engine.tasks.pool.task_process import Ending, TaskProcess

if TYPE_CHECKING:
    from engine.tasks.pool.pool import Pool

log = logging.getLogger(__name__)

_FIRST_PAUSE = 0.1
_MAX_PAUSE = 5.0


class Generation:
    """Starts the processes that are `wanted`. After failed starts it pauses, longer each time.

    One on `trial` gives up as soon as one cannot be started: the old generation still works.
    """

    def __init__(
        self,
        task: Task,
        staffing: Staffing,
        opening: bytes,
        pool: Pool,
        *,
        trial: bool = False,
    ) -> None:
        self.task = task
        self.staffing = staffing
        self.processes: list[TaskProcess] = []
        self.disabled = ""
        self._opening = opening
        self._pool = pool
        self._wanted = 0
        self._has_worked = False
        self._trial = trial
        self._failures = 0
        self._pause: asyncio.TimerHandle | None = None
        self._lives: set[asyncio.Task[None]] = set()

    @property
    def is_ready(self) -> bool:
        """Whether one can take work, or none is kept."""
        if self.disabled:
            return False
        return not self.staffing.least or any(each.takes_work for each in self.processes)

    def want(self, number: int) -> None:
        """Keep so many processes, those that finish apart."""
        self._wanted = 0 if self.disabled else number
        self._supply()

    async def stop(self) -> None:
        """End all processes at once."""
        self.retire()
        for life in self._lives:
            life.cancel()
        await self.ended()

    def retire(self) -> None:
        """Replace no process; the running ones may finish."""
        self._wanted = 0
        if self._pause is not None:
            self._pause.cancel()

    async def ended(self) -> None:
        """Wait until no process runs."""
        while self._lives:
            await asyncio.wait(list(self._lives))

    def _supply(self) -> None:
        if self._pause is not None:
            return
        staying = [each for each in self.processes if not (each.finishing or each.dismissed)]
        for _ in range(self._wanted - len(staying)):
            process = TaskProcess(
                self.task.name, self._free_number(), self.staffing.capacity, self._pool
            )
            self.processes.append(process)
            life = asyncio.create_task(self._run(process), name=f"{self.task.name}: {process}")
            self._lives.add(life)
            life.add_done_callback(self._lives.discard)

    def _free_number(self) -> int:
        if not self.staffing.numbered:
            return 0
        taken = {each.number for each in self.processes}
        return next(number for number in range(1, len(taken) + 2) if number not in taken)

    async def _run(self, process: TaskProcess) -> None:
        start = self.task.timeouts.start
        try:
            ending = await process.live(self.staffing.target, self._opening, start)
        except asyncio.CancelledError:  # all of them end
            await process.kill()
            ending = Ending("the server is shutting down", killed=True)
        process.ready = False
        self.processes.remove(process)
        if process.was_ready:
            self._has_worked, self._failures = True, 0
        if not (process.finishing or process.dismissed) and self._wanted:
            self._replace(process, ending)
        self._pool.process_ended(process, ending)
        self._supply()

    def _replace(self, process: TaskProcess, ending: Ending) -> None:
        about = process.about()
        if process.was_ready and not ending.fatal:
            self._pool.process_replaced()
            log.warning("%s exited; restarting: %s", process, ending.reason, extra=about)
            return
        if self._pause is not None and not ending.fatal:
            return  # started together with one that has failed
        if not (ending.killed and self._has_worked):
            self._failures += 1
        most = 1 if self._trial and not self._has_worked else self.task.limits.failures
        if ending.fatal or self._failures >= most > 0:
            self._disable(ending.reason)
            return
        if self._failures < 2:  # later tries say the same, and _disable repeats it
            log.warning("%s could not be started: %s", process, ending.reason, extra=about)
        pause = min(_MAX_PAUSE, _FIRST_PAUSE * 2 ** max(0, self._failures - 1))
        self._pause = asyncio.get_running_loop().call_later(pause, self._end_pause)

    def _end_pause(self) -> None:
        self._pause = None
        self._supply()

    def _disable(self, reason: str) -> None:
        tries = f" in {self._failures} tries" if self._failures > 1 else ""
        about = {"task": self.task.name}
        log.error("the task could not be started%s: %s", tries, reason, extra=about)
        self.retire()
        self.disabled = reason
        self._pool.generation_disabled(self)
