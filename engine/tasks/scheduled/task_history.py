"""The history of one task. That it cannot be used is logged, and stops neither clock nor runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from engine.errors import EngineError
from engine.tasks.pool.hosted_task import HostedTask
from engine.tasks.scheduled.history import Ending, History, NotRun, RunRecord

log = logging.getLogger(__name__)

R = TypeVar("R")

UNRECORDED = 0
"""The number of a run that the history does not know."""


class TaskHistory:
    def __init__(self, hosted: HostedTask, history: History) -> None:
        self._hosted = hosted
        self._history = history

    def recent(self, limit: int) -> list[RunRecord]:
        """The latest runs, latest first. Raises ExecutionError."""
        return self._history.recent(self._task, limit)

    def last(self) -> RunRecord | None:
        return self._attempt(lambda: self._history.last(self._task))

    def running(self) -> int:
        """Number of runs in progress, here or on other servers."""
        return self._attempt(lambda: self._history.running(self._task)) or 0

    def begin(self, moment: datetime, now: datetime) -> int | None:
        """The number of a new run; None if its time was handled before, or by another server."""
        try:
            return self._history.begin(self._task, moment, now)
        except EngineError as error:
            log.error("%s", error, extra=self._hosted.about)
            return UNRECORDED

    def finish(
        self, run: int, now: datetime, status: Ending, message: str, counts: Mapping[str, Any]
    ) -> None:
        if run != UNRECORDED:
            self._attempt(lambda: self._history.finish(run, now, status, message, counts))

    def note(self, moment: datetime, status: NotRun, message: str) -> None:
        self._attempt(lambda: self._history.note(self._task, moment, status, message))

    def forget_after(self, now: datetime) -> None:
        self._attempt(lambda: self._history.forget_after(self._task, now))

    def _attempt(self, call: Callable[[], R]) -> R | None:
        try:
            return call()
        except EngineError as error:
            log.error("%s", error, extra=self._hosted.about)
            return None

    @property
    def _task(self) -> str:
        return self._hosted.task.identity
