"""A job: what a process of a task does for one request, or for one time of a schedule."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from time import perf_counter
from typing import TYPE_CHECKING, Any

from engine.request_tags import NO_TAG, RequestTag
from engine.tasks.wire.messages import RunFailure

if TYPE_CHECKING:
    from engine.tasks.pool.task_process import TaskProcess


class Job(ABC):
    """Ends once: with `take` returning True, with `fail`, or because it is withdrawn.

    `deadline` is a time of the loop, after which it fails with `too_late`. `deaths` counts the
    processes that ended while they worked on it; `begun` is when the last one got it, and so is
    `given`, as a time of `perf_counter`, 0 if none has; `accepted` is when it came.
    """

    __slots__ = (
        "accepted",
        "begun",
        "deadline",
        "deaths",
        "given",
        "id",
        "process",
        "size",
        "tag",
        "too_late",
    )  # fmt: skip

    def __init__(
        self,
        number: int,
        deadline: float,
        too_late: RunFailure,
        size: int = 0,
        tag: RequestTag = NO_TAG,
    ) -> None:
        self.id = number
        self.tag = tag
        self.accepted = perf_counter()
        self.given = 0.0
        self.deadline = deadline
        self.too_late = too_late
        self.size = size
        self.begun = 0.0
        self.deaths = 0
        self.process: TaskProcess | None = None

    @property
    def kind(self) -> str:
        """What it is called in the log: a run that nobody has requested is a run."""
        return "request" if self.tag.id else "run"

    @property
    def can_repeat(self) -> bool:
        """Whether another process may do it from its beginning."""
        return True

    @abstractmethod
    def message(self, now: float) -> Any:
        """The message that gives it to a process. Raises JobError if it cannot begin."""

    @abstractmethod
    def take(self, message: Any) -> bool:
        """A message of the process about it; True if that was the last."""

    @abstractmethod
    def fail(self, failure: RunFailure) -> None:
        """It ends without a result of the pipeline."""

    @abstractmethod
    def lost(self, reason: str) -> RunFailure:
        """The failure if processes end in the middle of it, and it is not given to another."""


class JobError(Exception):
    """The job cannot begin."""

    def __init__(self, failure: RunFailure) -> None:
        super().__init__(failure)
        self.failure = failure


NEVER = math.inf


def no_response(seconds: float) -> RunFailure:
    """The failure of a job that was not done in time."""
    seconds = round(seconds, 1)
    unit = "second" if seconds == 1 else "seconds"
    reason = f"there was no response within {seconds:g} {unit}"
    return RunFailure(504, "the request took too long", reason)
