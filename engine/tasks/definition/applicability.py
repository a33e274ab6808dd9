"""Which settings apply to which type of task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.tasks.definition.problem_collector import ProblemCollector
from engine.tasks.definition.task import TaskType

_HTTP: tuple[TaskType, ...] = ("ultra", "triggered")
_TYPES_BY_SETTING: Mapping[tuple[str, ...], tuple[TaskType, ...]] = {
    ("instances",): _HTTP,
    ("bearer_token",): _HTTP,
    ("tokens",): _HTTP,
    ("token_file",): _HTTP,
    ("jwt",): _HTTP,
    ("jwt", "parameters"): ("triggered",),
    ("allowed_origins",): _HTTP,
    ("limits",): _HTTP,
    ("limits", "in_flight"): ("ultra",),
    ("limits", "redeliveries"): ("ultra",),
    ("limits", "concurrent"): ("triggered",),
    ("limits", "results"): ("triggered",),
    ("limits", "results_size"): ("triggered",),
    ("timeouts", "request"): _HTTP,
    ("timeouts", "result"): ("triggered",),
    ("response",): _HTTP,
    ("methods",): _HTTP,
    ("input_schema",): _HTTP,
    ("output_schema",): _HTTP,
    ("filtered_status",): ("ultra",),
    ("overlap",): ("triggered", "scheduled"),
    ("status_from_document",): ("triggered",),
    ("schedule",): ("scheduled",),
}
"""Settings not listed apply to every type."""

_TYPE_BY_RESPONSE: Mapping[str, TaskType] = {"stream": "ultra", "poll": "triggered"}


def check_applicability(
    kind: TaskType, values: Mapping[str, Any], collector: ProblemCollector
) -> None:
    """Report settings that would be ignored, and a missing schedule."""
    for path, kinds in inapplicable_settings(kind):
        if _value_at(path, values) is None:
            continue
        message = f"'{'.'.join(path)}' does not apply to {kind} tasks"
        hint = f"leave it out; it applies to {' and '.join(kinds)} tasks"
        collector.report("task-type", path, message, hint, at_key=True)
    response = values.get("response")
    if _TYPE_BY_RESPONSE.get(str(response), kind) != kind and kind in _HTTP:
        message = f"'response: {response}' does not apply to {kind} tasks"
        hint = f"leave it out; it applies to {_TYPE_BY_RESPONSE[str(response)]} tasks"
        collector.report("task-type", ("response",), message, hint)
    if kind == "scheduled" and values.get("schedule") is None:
        message = "a scheduled task needs the setting 'schedule'"
        hint = "add one, such as 'schedule: {every: 5m}'"
        collector.report("missing-setting", ("type",), message, hint)


def applies(kind: TaskType, *path: str) -> bool:
    return kind in _TYPES_BY_SETTING.get(path, (kind,))


def inapplicable_settings(
    kind: TaskType,
) -> Iterator[tuple[tuple[str, ...], tuple[TaskType, ...]]]:
    """The settings that do not apply to a type, each with the types to which it does."""
    for path, kinds in _TYPES_BY_SETTING.items():
        within = applies(kind, *path[:-1])  # otherwise the enclosing setting is reported
        if within and kind not in kinds:
            yield path, kinds


def _value_at(path: tuple[str, ...], values: Any) -> Any:
    for key in path:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values
