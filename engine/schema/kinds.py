"""The kinds of files that have a schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from engine.registry import Registry
from engine.schema.accounts import account_schema
from engine.schema.cases import test_schema
from engine.schema.pins import pin_schema
from engine.schema.pipelines import pipeline_schema
from engine.schema.tasks import task_schema
from engine.schema.values import JsonSchema

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
KINDS: Mapping[str, Callable[[Registry], JsonSchema]] = {
    "pipeline": pipeline_schema,
    "task": lambda registry: task_schema(),
    "account": account_schema,
    "test": lambda registry: test_schema(),
    "pins": lambda registry: pin_schema(),
}
"""Each kind of file, and what makes its schema from the installed snaps."""


def schema_file(kind: str) -> str:
    """What the file with the schema of a kind is called."""
    return f"{kind}.schema.json"


def schema_text(kind: str, registry: Registry) -> str:
    """The schema of a kind of file, as JSON text."""
    schema = {"$schema": _DIALECT, **KINDS[kind](registry)}
    return msgspec.json.format(msgspec.json.encode(schema), indent=1).decode() + "\n"
