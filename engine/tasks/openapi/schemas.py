"""The schemas of tasks as components of the document, and those that the server itself has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.tasks.definition.body_schemas import LITERALS

Json = dict[str, Any]

COMPONENTS = "#/components/schemas/"

ERROR: Json = {
    "type": "object",
    "required": ["error", "reason", "resolution"],
    "properties": {
        "error": {"type": "string", "description": "What is wrong."},
        "reason": {"type": "string", "description": "Why; perhaps empty."},
        "resolution": {"type": "string", "description": "What to do; perhaps empty."},
        "request_id": {"type": "string", "description": "The id of the request, as in the log."},
    },
}
RUN: Json = {
    "type": "object",
    "required": ["state", "href", "started", "request_id"],
    "properties": {
        "state": {"enum": ["running", "completed", "failed"]},
        "href": {"type": "string", "description": "The address of this run."},
        "started": {"type": "string", "format": "date-time"},
        "request_id": {
            "type": "string",
            "description": "The id of the request that started the run, as in the log.",
        },
        "ended": {"type": "string", "format": "date-time"},
        "expires": {
            "type": "string",
            "format": "date-time",
            "description": "When the result is forgotten.",
        },
        "status": {"type": "integer", "description": "The HTTP status of the result."},
        "result": {"type": "string", "description": "The address of the result."},
    },
}


def reference(name: str) -> Json:
    return {"$ref": COMPONENTS + name}


def as_component(schema: Any, name: str) -> Any:
    """The schema with its references, which lead into itself, leading to where it stands now."""
    if isinstance(schema, Mapping):
        return {
            key: COMPONENTS + name + value[1:]
            if key == "$ref" and isinstance(value, str)
            else (value if key in LITERALS else as_component(value, name))
            for key, value in schema.items()
            if key not in ("$id", "$schema")
        }
    if isinstance(schema, list):
        return [as_component(each, name) for each in schema]
    return schema
