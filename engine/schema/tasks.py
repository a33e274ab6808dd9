"""The schema of a task file."""

from __future__ import annotations

from typing import get_args

from engine.schema.values import NULL, SCALAR, JsonSchema, ValueSchemas, closed_object, in_any_case
from engine.tasks.definition.applicability import inapplicable_settings
from engine.tasks.definition.settings import RANGES, TaskSettings
from engine.tasks.definition.task import TaskType


def task_schema() -> JsonSchema:
    values = ValueSchemas()
    top = closed_object(values.properties(TaskSettings), TaskSettings)
    settings = top["properties"]
    settings["bearer_token"] |= SCALAR  # these two are read as strings, as written
    settings["parameters"] = {
        **_without_type(settings["parameters"]),
        "type": ["object", "null"],
        "additionalProperties": SCALAR,
    }
    for table in (top, *values.definitions.values()):
        for name in table["properties"].keys() & RANGES:
            least, most = RANGES[name]
            table["properties"][name] |= {"minimum": least, "maximum": most}
    return {
        "title": "Snapline task",
        **top,
        "allOf": [_rule(kind) for kind in get_args(TaskType)],
        "$defs": values.definitions,
    }


def _without_type(schema: JsonSchema) -> JsonSchema:
    return {key: value for key, value in schema.items() if key not in ("type", "anyOf")}


def _rule(kind: TaskType) -> JsonSchema:
    """What a type does not take; a key without a value is left alone."""
    refused: JsonSchema = {}
    for path, kinds in inapplicable_settings(kind):
        place = refused
        for key in path[:-1]:
            place = place.setdefault(key, {"properties": {}})["properties"]
        place[path[-1]] = {
            **NULL,
            "doNotSuggest": True,
            "errorMessage": f"'{'.'.join(path)}' applies to {' and '.join(kinds)} tasks only",
        }
    required = {"required": ["schedule"]} if kind == "scheduled" else {}
    return {
        "if": {"properties": {"type": in_any_case((kind,))}, "required": ["type"]},
        "then": {"properties": refused, **required},
    }
