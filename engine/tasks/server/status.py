"""What operators are told of the tasks: whether they are ready, and their numbers."""

from __future__ import annotations

from engine.tasks.pool.hosted_task import HostedTask
from engine.tasks.scheduled.scheduler import ScheduledTask
from engine.tasks.server.control import TaskState

_TEXT = "text/plain"


def readiness(tasks: dict[str, HostedTask], *, stopping: bool) -> tuple[int, str, bytes]:
    """The page /readyz: 200 if all tasks accept requests."""
    if stopping:
        return 503, _TEXT, b"shutting down\n"
    waiting = [name for name, hosted in tasks.items() if not hosted.is_ready]
    if waiting:
        return 503, _TEXT, f"not ready: {', '.join(waiting)}\n".encode()
    return 200, _TEXT, b"ready\n"


def state_of(name: str, hosted: HostedTask, url: str, *, stopping: bool) -> TaskState:
    statistics = hosted.statistics
    state = "ready" if hosted.is_ready else "disabled" if hosted.disabled else "starting"
    return TaskState(
        name=name,
        type=hosted.task.type,
        pipeline=hosted.task.pipeline,
        url=url,
        state="ending" if stopping else state,
        instances=len(hosted.instances),
        requests=statistics.total,
        errors=statistics.errors,
        queued=hosted.queue_depth,
        p50=statistics.quantile(0.5),
        p99=statistics.quantile(0.99),
        note=hosted.disabled,
        next_run=hosted.next_time if isinstance(hosted, ScheduledTask) else None,
    )
