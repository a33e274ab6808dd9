"""The JSON Schemas of a task: are they schemas, and do their references lead somewhere?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.errors import ConfigurationError
from engine.sdk.json_schema import schema_mistake
from engine.tasks.definition.problem_collector import ProblemCollector

SCHEMAS = ("input_schema", "output_schema")
LITERALS = ("const", "enum", "default", "examples", "example")
"""Keywords whose values are data, not schemas."""

Path = tuple[str | int, ...]


def check_schemas(given: Mapping[str, Any], collector: ProblemCollector) -> None:
    for name in SCHEMAS:
        schema = given.get(name)
        if not schema:
            continue
        try:
            mistake = schema_mistake(schema)
        except ConfigurationError as error:  # the library is missing
            collector.report("bad-setting", (name,), str(error))
            return
        if mistake is not None:
            path, message = mistake
            hint = "see https://json-schema.org for what a schema may say"
            text = f"'{name}' is not a JSON Schema: {message:.200}"
            collector.report("bad-setting", (name, *path), text, hint)
            continue
        for path, reference in references(schema):
            if problem := _wrong(reference, schema):
                collector.report("bad-setting", (name, *path), problem, _HINT)


def references(schema: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """The `$ref` in a schema, each with its place."""
    if isinstance(schema, Mapping):
        for key, value in schema.items():
            if key == "$ref" and isinstance(value, str):
                yield (*path, key), value
            elif key not in LITERALS:
                yield from references(value, (*path, key))
    elif isinstance(schema, list):
        for index, value in enumerate(schema):
            yield from references(value, (*path, index))


def _wrong(reference: str, schema: Any) -> str:
    if reference != "#" and not reference.startswith("#/"):
        return f"the reference {reference!r:.80} leads out of the schema"
    found = schema
    for part in reference.split("/")[1:]:
        key: Any = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and key.isdecimal() and int(key) < len(found):
            found = found[int(key)]
        elif isinstance(found, Mapping) and key in found:
            found = found[key]
        else:
            return f"the reference {reference!r:.80} leads nowhere"
    return ""


_HINT = "refer to a part of the same schema, such as '#/$defs/NAME'"
