"""What a task file may say. A default stands once, in engine.tasks.files.task: here it is None."""

from __future__ import annotations

from typing import Any

from engine.sdk.settings import Settings, setting
from engine.tasks.files.task import TaskType

Amount = float | str
"""A duration or a size: see engine.sdk.quantities."""


class TimeoutSettings(Settings):
    request: Amount | None = setting(
        default=None, help="How long a request may take.", example="30s"
    )
    start: Amount | None = setting(
        default=None, help="How long an instance may take until it is ready.", example="10m"
    )
    drain: Amount | None = setting(
        default=None, help="How long open requests are waited for at a shutdown.", example="30s"
    )


class LimitSettings(Settings):
    body: Amount | None = setting(default=None, help="Bytes of a request's body.", example="10 MiB")
    queue: int | None = setting(default=None, help="Requests that wait.", example=1000)
    in_flight: int | None = setting(
        default=None, help="Requests that one instance works on.", example=200
    )
    failures: int | None = setting(
        default=None, help="Failed starts in a row, then the task is given up.", example=5
    )
    redeliveries: int | None = setting(
        default=None, help="Times a request is given to another instance.", example=5
    )
    concurrent: int | None = setting(default=None, help="Runs at a time.", example=10)


class ScheduleSettings(Settings):
    every: Amount | None = setting(default=None, help="The time between two runs.", example="5m")
    cron: str | None = setting(
        default=None, help="Minute, hour, day, month and weekday.", example="*/5 * * * *"
    )
    at: str | None = setting(
        default=None,
        help="When it runs, or first runs if `every` is given.",
        example="2026-12-24T18:00",
    )
    timezone: str | None = setting(
        default=None, help="The zone of `cron`, `at` and `until`.", example="Europe/Berlin"
    )
    until: str | None = setting(default=None, help="The last time or day.", example="2027-01-01")
    grace: Amount | None = setting(
        default=None, help="How late a run may begin; later, it is missed.", example="15m"
    )
    timeout: Amount | None = setting(default=None, help="How long a run may take.", example="10m")


class TaskSettings(Settings):
    name: str | None = setting(
        default=None, help="The name; it is part of the URL.", example="digits"
    )
    type: TaskType = setting(help="How the pipeline is hosted: ultra, triggered or scheduled.")
    pipeline: str = setting(help="The pipeline's file, relative to that of the task.")
    parameters: dict[str, Any] = setting(default={}, help="Values for the pipeline's parameters.")
    instances: int | None = setting(
        default=None, help="Processes that run the pipeline.", example=2
    )
    bearer_token: str | None = setting(
        default=None, help="Callers must send it.", example="${env:TOKEN}"
    )
    allowed_origins: tuple[str, ...] | None = setting(
        default=None, help="Pages that may call it.", example=["https://example.org"]
    )
    filtered_status: int | None = setting(
        default=None, help="The status of the answer to a filtered request.", example=204
    )
    overlap: bool | None = setting(
        default=None, help="Whether a run may begin while another runs.", example=False
    )
    status_from_document: bool | None = setting(
        default=None,
        help="Whether the field `status` of the first document is the status of the answer.",
        example=True,
    )
    allow_outside: bool | None = setting(
        default=None,
        help="Whether snaps that say `allow_outside` may let data name files anywhere.",
        example=True,
    )
    timeouts: TimeoutSettings | None = setting(default=None, help="Times that things may take.")
    limits: LimitSettings | None = setting(default=None, help="What the task bears at most.")
    schedule: ScheduleSettings | None = setting(default=None, help="When the task runs.")
