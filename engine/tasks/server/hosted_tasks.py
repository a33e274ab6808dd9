"""The tasks of a server: hosted, switched to new versions, and ended."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Literal

from engine.run.spans import SpanData
from engine.tasks.definition.loading import Loaded
from engine.tasks.definition.task import Task
from engine.tasks.front.task_call import Answering
from engine.tasks.pool.hosted_task import HostedTask
from engine.tasks.pool.statistics import TaskStatistics
from engine.tasks.scheduled.history import History
from engine.tasks.scheduled.scheduler import ScheduledTask
from engine.tasks.triggered.triggered import TriggeredTask
from engine.tasks.ultra.feed_master import FeedMaster

Closed = Literal["paused", "drained"]

log = logging.getLogger(__name__)


class HostedTasks:
    """`all` are the tasks by name, `answering` those among them that have a URL.

    `closed` are those that an operator has paused or drained, and which of the two.
    """

    def __init__(
        self,
        url_of: Callable[[str], str],
        state_folder: str | None = None,
        send_spans: Callable[[list[SpanData]], None] | None = None,
    ) -> None:
        self.all: dict[str, HostedTask] = {}
        self.answering: dict[str, Answering] = {}
        self.closed: dict[str, Closed] = {}
        self._drained: dict[str, Loaded] = {}
        self._changes: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """Held while a task is switched or drained, so that one does not end what another began."""

        self._url_of = url_of
        self._state_folder = state_folder
        self._send_spans = send_spans
        self._history: History | None = None

    def host(self, loaded: Loaded, statistics: TaskStatistics | None = None) -> None:
        name = loaded.task.name
        hosted = self.all[name] = self._make(loaded, statistics or TaskStatistics())
        if self._send_spans is not None:
            hosted.pool.send_spans = self._send_spans
        if isinstance(hosted, FeedMaster | TriggeredTask):
            self.answering[name] = hosted
        else:
            self.answering.pop(name, None)
        hosted.start()
        place = f" at {self._url_of(name)}"
        detail = f"; {hosted.next_run_text}" if isinstance(hosted, ScheduledTask) else place
        log.info("%s task%s", loaded.task.type, detail, extra={"task": name})

    async def switch(self, loaded: Loaded) -> bool:
        """Host the new version of a task, or a new task; False if the old one had to stay."""
        async with self._changes[loaded.task.name]:
            return await self._switch(loaded)

    async def _switch(self, loaded: Loaded) -> bool:
        name = loaded.task.name
        hosted = self.all.get(name)
        old: Loaded | HostedTask | None = self._drained.get(name) or hosted
        before = None if old is None else old.task
        if name in self._drained:
            self._drained[name] = loaded
            log.info("task reloaded; it stays drained", extra={"task": name})
            _warn_if_opened(before, loaded.task)
            return True
        if hosted is None or hosted.task.type != loaded.task.type:
            self.closed.pop(name, None)
            self.host(loaded)
            _warn_if_opened(before, loaded.task)
            if hosted is not None:
                await hosted.drain(hosted.task.timeouts.drain)
            return True
        if not await hosted.reload(loaded.task, loaded.plan):
            log.error("reload failed; the task stays as it was", extra={"task": name})
            return False
        log.info("task reloaded", extra={"task": name})
        _warn_if_opened(before, loaded.task)
        return True

    async def switch_all(self, loaded: Iterable[Loaded]) -> None:
        """Host these and no other tasks."""
        wanted = {each.task.name: each for each in loaded}
        await asyncio.gather(*(self.switch(each) for each in wanted.values()))
        for name in self.all.keys() - wanted.keys():
            hosted = self.all.pop(name)
            self.answering.pop(name, None)
            self.closed.pop(name, None)
            self._drained.pop(name, None)
            await hosted.drain(hosted.task.timeouts.drain)
            log.info("task removed", extra={"task": name})

    async def pause(self, name: str) -> None:
        """Take no more requests, or start no more runs; what is in progress goes on."""
        hosted = self.all[name]
        if name in self.closed:
            return
        self.closed[name] = "paused"
        if isinstance(hosted, ScheduledTask):
            await hosted.pause()
        log.info("task paused", extra={"task": name})

    def resume(self, name: str) -> None:
        """Undo `pause` or `drain`."""
        hosted = self.all[name]
        if self.closed.pop(name, None) is None:
            return
        log.info("task resumed", extra={"task": name})
        if name in self._drained:
            self.host(self._drained.pop(name), hosted.statistics)
        elif isinstance(hosted, ScheduledTask):
            hosted.resume()

    async def drain(self, name: str) -> None:
        """Pause it, let what is in progress end within the task's time limit, end its processes."""
        async with self._changes[name]:
            if name not in self.all or self.closed.get(name) == "drained":
                return
            await self.pause(name)
            hosted = self.all[name]
            self.closed[name] = "drained"
            if isinstance(hosted, ScheduledTask):
                await hosted.runs.ended(hosted.task.timeouts.drain)
            else:
                self._drained[name] = Loaded(hosted.task, hosted.plan)
                await hosted.drain(hosted.task.timeouts.drain)
            log.info("task drained", extra={"task": name})

    def hold(self, full: bool) -> None:
        """Callers leave too much unread: take no more responses from the instances."""
        for hosted in self.all.values():
            if isinstance(hosted, FeedMaster):  # runs wait for their own readers
                hosted.pool.generations.hold(full)

    async def end(self) -> None:
        """End all tasks at once."""
        for hosted in self.all.values():
            await hosted.drain(0)
        if self._history is not None:
            self._history.close()

    def _make(self, loaded: Loaded, statistics: TaskStatistics) -> HostedTask:
        task, plan = loaded.task, loaded.plan
        if task.type == "triggered":
            return TriggeredTask(task, plan, statistics)
        if task.type == "scheduled":
            if self._history is None:
                self._history = History(self._state_folder)
            return ScheduledTask(task, plan, statistics, self._history)
        return FeedMaster(task, plan, statistics)


def _warn_if_opened(before: Task | None, now: Task) -> None:
    """Perhaps the file of the task was read half-written."""
    if before is not None and before.is_guarded and not now.is_guarded:
        about = {"task": now.name}
        log.warning("everybody may call it now: its file names no token", extra=about)
