"""Which settings mean something for which type of task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.tasks.files.reports import Reports
from engine.tasks.files.task import TaskType

_HTTP: tuple[TaskType, ...] = ("ultra", "triggered")
_FITS: Mapping[tuple[str, ...], tuple[TaskType, ...]] = {
    ("instances",): _HTTP,
    ("bearer_token",): _HTTP,
    ("allowed_origins",): _HTTP,
    ("limits",): _HTTP,
    ("limits", "in_flight"): ("ultra",),
    ("limits", "redeliveries"): ("ultra",),
    ("limits", "concurrent"): ("triggered",),
    ("timeouts", "request"): _HTTP,
    ("filtered_status",): ("ultra",),
    ("overlap",): ("triggered", "scheduled"),
    ("status_from_document",): ("triggered",),
    ("schedule",): ("scheduled",),
}
"""What is not here is for all."""


def check_fit(kind: TaskType, values: Mapping[str, Any], reports: Reports) -> None:
    """Report what is given and would be ignored, and the schedule that is not given."""
    for path, kinds in _misfits(kind, values):
        message = f"'{'.'.join(path)}' is nothing for a task of type {kind!r}"
        hint = f"leave it out; it is for {' and '.join(kinds)} tasks"
        reports.report("task-type", path, message, hint, at_key=True)
    if kind == "scheduled" and values.get("schedule") is None:
        message = "a scheduled task needs the setting 'schedule'"
        hint = "such as 'schedule: {every: 5m}'"
        reports.report("missing-setting", ("type",), message, hint)


def fits(kind: TaskType, *path: str) -> bool:
    return kind in _FITS.get(path, (kind,))


def _misfits(
    kind: TaskType, values: Mapping[str, Any]
) -> Iterator[tuple[tuple[str, ...], tuple[TaskType, ...]]]:
    for path, kinds in _FITS.items():
        within = fits(kind, *path[:-1])  # else all that surrounds it is refused
        if within and kind not in kinds and _value_at(path, values) is not None:
            yield path, kinds


def _value_at(path: tuple[str, ...], values: Any) -> Any:
    for key in path:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values
