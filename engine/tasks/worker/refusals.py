"""Why a caller gets no result, as far as it may know."""

from __future__ import annotations

from typing import ClassVar

from engine.errors import ConfigurationError, DataError, EngineError, SnapFailedError
from engine.run.failures import SEE_LOG
from engine.tasks.wire.messages import RunFailure

TOO_LATE = RunFailure(
    504, "the request took too long", "its deadline had passed before it was begun"
)
"""The failure of a request that had waited until nobody waited for it any more."""


class BadRequest(Exception):  # noqa: N818  # named for what the caller has sent
    """A part of the request cannot be read."""

    error: ClassVar[str]
    status = 400

    def __init__(self, reason: str, resolution: str = "") -> None:
        super().__init__(reason, resolution)
        self.reason = reason
        self.resolution = resolution

    def __str__(self) -> str:
        return self.reason

    @property
    def failure(self) -> RunFailure:
        return RunFailure(self.status, self.error, self.reason, self.resolution)


class BadBody(BadRequest):
    """The body is not what its content type says, or not what an input can take."""

    error = "the body of the request cannot be read"


class CodedBody(BadBody):
    """The body is compressed."""

    status = 415


class BadQuery(BadRequest):
    error = "the query of the request cannot be read"


def failure_of(error: EngineError) -> RunFailure:
    """The failure of a run: neither files of the server nor its settings."""
    if isinstance(error, SnapFailedError | DataError):
        return RunFailure(500, error.error, error.reason, error.resolution)
    if isinstance(error, ConfigurationError):
        reason = "its settings, or those of the task, are wrong"
        return RunFailure(500, "the pipeline cannot be started", reason, SEE_LOG)
    return RunFailure(500, "the pipeline failed", "", SEE_LOG)
