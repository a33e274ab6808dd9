"""What operators can do with the tasks of a running server.

The admin port, the socket of `engine tasks` and nothing else call these, so that there is one way
to do each thing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any

from engine.errors import ConfigurationError, EngineError
from engine.sdk.settings import nearest_hint
from engine.tasks.definition.loading import Loaded, check_parameters
from engine.tasks.definition.task import Task
from engine.tasks.pool.hosted_task import HostedTask
from engine.tasks.scheduled.scheduler import ScheduledTask
from engine.tasks.server.hosted_tasks import HostedTasks
from engine.tasks.server.states import ServerState, TaskState, run_of

log = logging.getLogger(__name__)

LoadOne = Callable[[str], list[Loaded]]
"""Reads the files for the task of this file alone; raises ConfigurationError."""

Prepare = Callable[[Iterable[Task]], None]


class OperationError(EngineError):
    """It cannot be done; `status` is an HTTP status."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(status, message, str(hint))
        self.status = status
        self.message = message
        self.hint = str(hint)  # plain, so that it can be encoded

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class Operations:
    """`state` gives the state of the server; `prepare` reads the token files of a task."""

    def __init__(
        self,
        hosted: HostedTasks,
        state: Callable[[], ServerState],
        load_one: LoadOne,
        prepare: Prepare,
    ) -> None:
        self._hosted = hosted
        self.state = state
        self._load_one = load_one
        self._prepare = prepare

    def find(self, name: str) -> HostedTask:
        tasks = self._hosted.all
        if name not in tasks:
            hint = nearest_hint(name, tasks) or f"the tasks are: {', '.join(tasks) or 'none'}"
            raise OperationError(404, f"there is no task {name!r:.120}", hint)
        return tasks[name]

    def task_state(self, name: str) -> TaskState:
        self.find(name)
        return next(each for each in self.state().tasks if each.name == name)

    def history(self, name: str, limit: int) -> list[dict[str, Any]]:
        try:
            return [run_of(record) for record in self._scheduled(name).history.recent(limit)]
        except OperationError:
            raise
        except EngineError as error:
            raise OperationError(500, str(error)) from None

    async def pause(self, name: str) -> TaskState:
        """Take no more requests, or start no more runs; its processes stay."""
        self.find(name)
        await self._hosted.pause(name)
        return self.task_state(name)

    async def resume(self, name: str) -> TaskState:
        """Undo `pause` or `drain`."""
        self.find(name)
        self._hosted.resume(name)
        return self.task_state(name)

    async def drain(self, name: str) -> TaskState:
        """Pause it, let what is in progress end, and end its processes."""
        self.find(name)
        await self._hosted.drain(name)
        return self.task_state(name)

    async def reload(self, name: str) -> TaskState:
        """Read the files of this task again; if they cannot be served, nothing changes."""
        hosted = self.find(name)
        try:
            (loaded,) = await asyncio.to_thread(self._load_one, hosted.task.path)
            check_parameters(loaded)
            await asyncio.to_thread(self._prepare, [loaded.task])
        except ConfigurationError as error:
            raise OperationError(422, str(error)) from None
        if loaded.task.name != name:
            raise OperationError(
                409,
                f"the file {hosted.task.path!r} now names its task {loaded.task.name!r}",
                "send SIGHUP to the server, which reloads all files",
            )
        if not await self._hosted.switch(loaded):
            raise OperationError(
                422, "the new version could not be started", "see the server's log"
            )
        return self.task_state(name)

    async def run(self, name: str) -> TaskState:
        """Start a run of a scheduled task now, outside its schedule."""
        if not self._scheduled(name).run_now():
            raise OperationError(
                409,
                "a run is still in progress",
                "wait for its end, or set 'overlap: true' in the task file",
            )
        return self.task_state(name)

    def _scheduled(self, name: str) -> ScheduledTask:
        hosted = self.find(name)
        if not isinstance(hosted, ScheduledTask):
            kind = hosted.task.type
            raise OperationError(
                409, f"{name!r} is of type {kind}", "only scheduled tasks have runs and a history"
            )
        return hosted
