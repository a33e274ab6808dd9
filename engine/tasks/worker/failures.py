"""What the caller of a run may see of an error."""

from __future__ import annotations

from engine.errors import ConfigurationError, DataError, EngineError, SnapFailedError
from engine.run.failures import SEE_LOG
from engine.tasks.wire.messages import RunFailure


def failure_of(error: EngineError) -> RunFailure:
    """The failure of a run: neither files of the server nor its settings."""
    if isinstance(error, SnapFailedError | DataError):
        return RunFailure(500, error.error, error.reason, error.resolution)
    if isinstance(error, ConfigurationError):
        reason = "its settings, or those of the task, are wrong"
        return RunFailure(500, "the pipeline cannot be started", reason, SEE_LOG)
    return RunFailure(500, "the pipeline failed", "", SEE_LOG)
