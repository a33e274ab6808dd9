"""The tasks of a server: hosted, switched to new versions, and ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from engine.run.spans import SpanData
from engine.tasks.definition.loading import Loaded
from engine.tasks.front.task_call import Answering
from engine.tasks.pool.hosted_task import HostedTask
from engine.tasks.pool.statistics import TaskStatistics
from engine.tasks.scheduled.history import History
from engine.tasks.scheduled.scheduler import ScheduledTask
from engine.tasks.triggered.triggered import TriggeredTask
from engine.tasks.ultra.feed_master import FeedMaster

log = logging.getLogger(__name__)


class HostedTasks:
    """`all` are the tasks by name, `answering` those among them that take requests."""

    def __init__(
        self,
        url_of: Callable[[str], str],
        state_folder: str | None = None,
        spans_taker: Callable[[list[SpanData]], None] | None = None,
    ) -> None:
        self.all: dict[str, HostedTask] = {}
        self.answering: dict[str, Answering] = {}
        self._url_of = url_of
        self._state_folder = state_folder
        self._spans_taker = spans_taker
        self._history: History | None = None

    def host(self, loaded: Loaded) -> None:
        name = loaded.task.name
        hosted = self.all[name] = self._make(loaded)
        hosted.pool.spans_taker = self._spans_taker
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
        name = loaded.task.name
        hosted = self.all.get(name)
        if hosted is None or hosted.task.type != loaded.task.type:
            self.host(loaded)
            if hosted is not None:
                await hosted.drain(hosted.task.timeouts.drain)
            return True
        if not await hosted.reload(loaded.task, loaded.plan):
            log.error("reload failed; the task stays as it was", extra={"task": name})
            return False
        log.info("task reloaded", extra={"task": name})
        return True

    async def switch_all(self, loaded: Iterable[Loaded]) -> None:
        """Host these and no other tasks."""
        wanted = {each.task.name: each for each in loaded}
        await asyncio.gather(*(self.switch(each) for each in wanted.values()))
        for name in self.all.keys() - wanted.keys():
            hosted = self.all.pop(name)
            self.answering.pop(name, None)
            await hosted.drain(hosted.task.timeouts.drain)
            log.info("task removed", extra={"task": name})

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

    def _make(self, loaded: Loaded) -> HostedTask:
        task, plan, statistics = loaded.task, loaded.plan, TaskStatistics()
        if task.type == "triggered":
            return TriggeredTask(task, plan, statistics)
        if task.type == "scheduled":
            if self._history is None:
                self._history = History(self._state_folder)
            return ScheduledTask(task, plan, statistics, self._history)
        return FeedMaster(task, plan, statistics)
