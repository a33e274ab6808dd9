"""What the JSON Schema of a file says about a place in it.

The schemas are those of `engine schema`, so whatever an editor learns from them is completed and
explained here too, for every kind of file alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.api.kinds import FileKind
from engine.pipeline.nodes import Node, Scalar, Table, child_of
from engine.pipeline.source import KeyPath
from engine.registry import Registry
from engine.schema import KINDS

JsonSchema = Mapping[str, Any]
_MAX_DEPTH = 20


class SchemaPlaces:
    """The schemas of one kind of file, looked up by the paths of its keys."""

    def __init__(self, kind: FileKind, registry: Registry) -> None:
        self._root = KINDS[kind](registry)
        self._definitions: Mapping[str, JsonSchema] = self._root.get("$defs", {})

    def at(self, root: Node | None, path: KeyPath) -> list[JsonSchema]:
        """The schemas that a value at the path may fit, without references and conditions.

        `root` is the root of the file: what applies to a snap depends on its type.
        """
        found, node = self._parts([self._root], root), root
        for step in path:
            node = child_of(node, step)
            found = self._parts(_inner(found, step), node)
        return found

    def keys(self, root: Node | None, path: KeyPath) -> dict[str, list[JsonSchema]]:
        """The keys that the map at the path may have, each with the parts of its schema."""
        found: dict[str, list[JsonSchema]] = {}
        for part in self.at(root, path):
            for name, schema in part.get("properties", {}).items():
                parts = found.setdefault(name, [])
                if isinstance(schema, Mapping):
                    parts.extend(self._parts([schema], None))
        return {
            name: parts
            for name, parts in found.items()
            if not any(part.get("doNotSuggest") for part in parts)
        }

    def required(self, root: Node | None, path: KeyPath) -> set[str]:
        """The keys that the map at the path must have."""
        return {name for part in self.at(root, path) for name in part.get("required", ())}

    def _parts(self, schemas: Sequence[JsonSchema], node: Node | None) -> list[JsonSchema]:
        return [part for schema in schemas for part in self._resolved(schema, node, 0)]

    def _resolved(self, schema: JsonSchema, node: Node | None, depth: int) -> Iterator[JsonSchema]:
        """The schema, and all that it refers to or combines."""
        if depth > _MAX_DEPTH:
            return
        yield schema
        combined = [*schema.get("allOf", ()), *schema.get("anyOf", ())]
        if "$ref" in schema:
            combined.append(self._definitions[schema["$ref"].removeprefix("#/$defs/")])
        if "if" in schema and _fits(node, schema["if"]):
            combined.append(schema.get("then", {}))
        for each in combined:
            yield from self._resolved(each, node, depth + 1)


def _inner(schemas: Sequence[JsonSchema], step: str | int) -> list[JsonSchema]:
    """The schemas of what is in a map or list at `step`."""
    found = []
    for schema in schemas:
        if isinstance(step, int):
            inner = schema.get("items")
        else:
            more = schema.get("additionalProperties")
            inner = schema.get("properties", {}).get(step, more)
        if isinstance(inner, Mapping):
            found.append(inner)
    return found


def _fits(node: Node | None, condition: JsonSchema) -> bool:
    """Whether the node is what the condition of a schema asks for: keys with certain values."""
    if not isinstance(node, Table):
        return False
    for name, wanted in condition["properties"].items():
        entry = node.entries.get(name)
        value = entry.value if entry is not None else None
        if not isinstance(value, Scalar):
            return False
        if "const" in wanted and value.text != wanted["const"]:
            return False
        if "pattern" in wanted and not re.search(wanted["pattern"], value.text):
            return False
    return True
