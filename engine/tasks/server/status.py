"""What operators are told of the tasks: whether they are ready, and their numbers."""

from __future__ import annotations

from collections.abc import Mapping

from engine.tasks.pool.hosted_task import HostedTask
from engine.tasks.scheduled.scheduler import ScheduledTask
from engine.tasks.server.states import TaskState

_TEXT = "text/plain"


def readiness(
    tasks: Mapping[str, HostedTask], closed: Mapping[str, str], *, stopping: bool
) -> tuple[int, str, bytes]:
    """The page /readyz: 200 if all tasks accept requests, apart from those an operator closed."""
    if stopping:
        return 503, _TEXT, b"shutting down\n"
    waiting = [name for name, hosted in tasks.items() if not (hosted.is_ready or name in closed)]
    if waiting:
        return 503, _TEXT, f"not ready: {', '.join(waiting)}\n".encode()
    notes = [f"{how}: {name}\n" for name, how in closed.items()]
    return 200, _TEXT, f"ready\n{''.join(notes)}".encode()


def state_of(
    name: str, hosted: HostedTask, url: str, closed: str | None, *, stopping: bool
) -> TaskState:
    statistics = hosted.statistics
    state = "ready" if hosted.is_ready else "disabled" if hosted.disabled else "starting"
    return TaskState(
        name=name,
        type=hosted.task.type,
        pipeline=hosted.task.pipeline,
        url=url,
        state="ending" if stopping else closed or state,
        instances=len(hosted.instances),
        requests=statistics.total,
        errors=statistics.errors,
        queued=hosted.queue_depth,
        p50=statistics.quantile(0.5),
        p99=statistics.quantile(0.99),
        note=hosted.disabled,
        next_run=hosted.next_time if isinstance(hosted, ScheduledTask) else None,
    )
