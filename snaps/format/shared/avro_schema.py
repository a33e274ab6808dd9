"""Mistakes in an Avro schema that is written in the pipeline, each with its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.sdk import Issue

Place = tuple[str | int, ...]

_PLAIN = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
_PARTS = {"record": "fields", "array": "items", "map": "values", "enum": "symbols", "fixed": "size"}
"""The key that each composed type needs."""

_MEANT = {
    "integer": "write int, or long for large numbers",
    "number": "write double, or a decimal: "
    "{type: bytes, logicalType: decimal, precision: 18, scale: 2}",
    "decimal": "write {type: bytes, logicalType: decimal, precision: 18, scale: 2}",
    "date": "write {type: int, logicalType: date}",
    "datetime": "write {type: long, logicalType: timestamp-millis}",
    "timestamp": "write {type: long, logicalType: timestamp-millis}",
    "text": "write string",
    "str": "write string",
    "bool": "write boolean",
    "list": "write array, with the type of its elements under items",
    "object": "write record, with its fields, or map",
    "dict": "write record, with its fields, or map",
}


def schema_issues(schema: Any, path: Place) -> Iterator[Issue]:
    """What is wrong with a schema at `path` of the settings."""
    yield from _Checker().issues(schema, path)


class _Checker:
    """Walks a schema from top to bottom; a named type is known from its definition on."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def issues(self, schema: Any, path: Place) -> Iterator[Issue]:
        if isinstance(schema, list):
            for position, each in enumerate(schema):
                yield from self.issues(each, (*path, position))
        elif isinstance(schema, dict):
            yield from self._of_map(schema, path)
        elif schema is None:
            yield Issue(path, "the Avro type is missing", "for null, write the type in quotes")
        elif schema not in _PLAIN and str(schema).rpartition(".")[2] not in self._names:
            yield self._unknown(schema, path)

    def _unknown(self, name: Any, path: Place) -> Issue:
        known = (*_PLAIN, *_PARTS, *sorted(self._names))
        hint = _MEANT.get(str(name).lower()) or f"the types are: {', '.join(known)}"
        return Issue(path, f"there is no Avro type {str(name)!r}", hint)

    def _of_map(self, schema: dict[str, Any], path: Place) -> Iterator[Issue]:
        kind = schema.get("type")
        if "type" not in schema:
            near = next((key for key in schema if str(key).startswith("typ")), "")
            where = f" in {schema['name']!r}" if "name" in schema else ""
            hint = f"write type instead of {near}" if near else ""
            yield Issue(path, f"the Avro type is missing{where}", hint)
            return
        part = _PARTS.get(kind) if isinstance(kind, str) else None
        if part is None:
            yield from self.issues(kind, (*path, "type"))
            return
        if kind in ("record", "enum", "fixed"):
            if not schema.get("name"):
                yield Issue(path, f"the Avro type {kind!r} needs a name", "add name: ...")
            self._names.add(str(schema.get("name")).rpartition(".")[2])
        if part not in schema:
            yield Issue(path, f"the Avro type {kind!r} needs {part!r}", f"add {part}: ...")
        elif kind == "record":
            yield from self._of_fields(schema[part], (*path, part))
        elif kind in ("array", "map"):
            yield from self.issues(schema[part], (*path, part))

    def _of_fields(self, fields: Any, path: Place) -> Iterator[Issue]:
        if not isinstance(fields, list):
            example = "fields: [{name: id, type: long}]"
            yield Issue(path, "the fields of an Avro record are a list", f"for example: {example}")
            return
        for position, field in enumerate(fields):
            place = (*path, position)
            if not isinstance(field, dict) or not field.get("name"):
                yield Issue(
                    place, "an Avro field needs a name", "for example: {name: id, type: long}"
                )
            else:
                yield from self._of_field(field, place)

    def _of_field(self, field: dict[str, Any], path: Place) -> Iterator[Issue]:
        if isinstance(field.get("type"), str) and field["type"] in _PARTS:
            inner = f"type: {{type: {field['type']}, {_PARTS[field['type']]}: ...}}"
            message = f"the type of the Avro field {field['name']!r} needs a map of its own"
            yield Issue((*path, "type"), message, f"write {inner}")
        elif "type" in field:
            yield from self.issues(field["type"], (*path, "type"))
        else:
            yield from self._of_map(field, path)
