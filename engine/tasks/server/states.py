"""What operators see of a server and its tasks, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.plan.plan import Plan
from engine.tasks.pool.hosted_task import HostedTask
from engine.tasks.scheduled.history import RunRecord

_TEXT = "text/plain"


class TaskState(msgspec.Struct, frozen=True):
    """One task as `engine tasks` shows it; seconds for `p50` and `p99`, None without requests.

    `requests` counts the runs of a scheduled task. `next_run` is ISO 8601, in the zone of its
    schedule; None if there is none.
    """

    name: str
    type: str
    pipeline: str
    url: str
    state: str
    instances: int
    requests: int
    errors: int
    queued: int
    p50: float | None
    p99: float | None
    note: str = ""
    next_run: str | None = None


class ServerState(msgspec.Struct, frozen=True):
    pid: int
    url: str
    tasks: list[TaskState]


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
        next_run=hosted.next_time,
    )


def counts_of(hosted: HostedTask) -> list[dict[str, Any]]:
    """What each snap has counted since the task was hosted, by view, and in sum."""
    return [
        {
            "label": snap.label,
            "snap": snap.type,
            "in": snap.documents_in,
            "out": snap.documents_out,
            "dropped": snap.dropped,
            "errors": snap.errors,
            "views": {"in": snap.inputs, "out": snap.outputs},
        }
        for snap in hosted.snap_counts()
    ]


def plan_of(plan: Plan) -> dict[str, Any]:
    """The plan without settings and defaults of secrets, which are nobody's business here."""
    return {
        "pipeline": plan.name,
        "path": plan.path,
        "parameters": [
            {
                "name": each.name,
                "required": each.required,
                "secret": each.secret,
                "default": None if each.secret else each.default,
            }
            for each in plan.parameters
        ],
        "snaps": [
            {
                "label": each.label,
                "snap": each.type,
                "where": str(each.where),
                "on_error": each.on_error,
                "mode": each.mode,
                "inputs": [view.name for view in each.inputs],
                "outputs": [view.name for view in each.outputs],
                "stateful": each.facts.stateful,
            }
            for each in plan.snaps
        ],
        "links": [{"from": str(link.source), "to": str(link.target)} for link in plan.links],
        "stages": [list(stage.labels) for stage in plan.stages],
        "open_inputs": [str(port) for port in plan.open_inputs],
        "open_outputs": [str(port) for port in plan.open_outputs],
    }


def run_of(record: RunRecord) -> dict[str, Any]:
    """A scheduled run as JSON; times are ISO 8601, in UTC."""
    return {
        "scheduled_at": record.scheduled_at,
        "started_at": record.started_at,
        "finished_at": record.finished_at,
        "status": record.status,
        "message": record.message,
        "counts": record.counts,
    }
