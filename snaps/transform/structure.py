"""Move, copy, delete and append parts of a document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from engine.sdk import (
    Batch,
    DataError,
    Document,
    Example,
    Foreign,
    Issue,
    JsonPath,
    Path,
    Settings,
    Snap,
    TargetPath,
    Value,
    excerpt,
    setting,
)

Operation = Literal["move", "copy", "delete", "update"]


class StructureRow(Settings):
    source: Path = setting(help="The part of the input document.", example="$original")
    operation: Operation = setting(
        default="move",
        help="`move` or `copy` the part to the target, `delete` it, or `update`: append it to the "
        "list at the target.",
    )
    target: TargetPath | None = setting(
        default=None,
        help="Where it goes; `$` adds the fields of an object to the document.",
        example="$customer",
    )


class StructureSettings(Settings):
    mappings: tuple[StructureRow, ...] = setting(
        help="Rows `{source, operation, target}`, applied from top to bottom.",
        example=[{"source": "$original", "operation": "move", "target": "$"}],
    )
    pass_through: bool = setting(
        default=False, help="Start from the input document; otherwise from an empty one."
    )
    null_safe_access: bool = setting(
        default=False, help="Read a missing source as null; otherwise it fails the document."
    )


class Structure(Snap[StructureSettings]):
    since = "0.4.0"
    about = """
    Sources are read from the input document, so a row never sees what an earlier one wrote.
    `update` adds the elements of a source that is a list, and anything else as one element; if
    there is no list at the target, it makes one.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-structuraltransform",
        "Structure",
        version=1,
        settings={
            "mappingTable[].sourcePath": "mappings[].source",
            "mappingTable[].operation": "mappings[].operation",
            "mappingTable[].expression": "mappings[].operation",
            "mappingTable[].targetPath": "mappings[].target",
            "passThrough": "pass_through",
            "nullSafeAccess": "null_safe_access",
        },
        choices={"passThrough": {"None - new map": False, "Yes": True, "No": False}},
    )
    stateful = False
    plain = True
    changes_input = False
    examples = (
        Example(
            "an inner object becomes the document",
            settings={"mappings": [{"source": "$original", "target": "$"}]},
            given=[{"status": 200, "original": {"id": 1, "name": "Ada"}}],
            expect=[{"id": 1, "name": "Ada"}],
        ),
        Example(
            "the document is rearranged",
            settings={
                "mappings": [
                    {"source": "$name", "operation": "move", "target": "$person.name"},
                    {"source": "$tag", "operation": "update", "target": "$tags"},
                    {"source": "$tag", "operation": "delete"},
                ],
                "pass_through": True,
            },
            given=[{"name": "Ada", "tag": "new", "tags": ["old"]}],
            expect=[{"tags": ["old", "new"], "person": {"name": "Ada"}}],
        ),
        Example(
            "a document without the source fails",
            settings={"mappings": [{"source": "$a", "target": "$b"}]},
            given=[{"a": 1}, {"x": 2}],
            on_error="discard",
            expect=[{"b": 1}],
        ),
    )

    @classmethod
    def check(cls, settings: StructureSettings) -> Iterable[Issue]:
        for place, row in enumerate(settings.mappings):
            if row.operation != "delete" and not (row.target and row.target.text.strip()):
                hint = "add target, such as $name"
                yield Issue(("mappings", place), f"'{row.operation}' needs a target", hint)

    def open(self) -> None:
        path = self.context.path
        self._rows = [
            (row.operation, path(row.source), path(row.target or TargetPath("$")))
            for row in self.settings.mappings
        ]

    def process_batch(self, view: str, batch: Batch) -> Batch:
        results: list[Document] = []
        good: list[int] = []
        for position, document in enumerate(batch.items):
            try:
                results.append(self._restructured(document))
            except DataError as error:
                self.context.failed(error, document, batch.lineage_of(position))
            else:
                good.append(position)
        return batch.at(good, results)

    def _restructured(self, document: Document) -> Document:
        """The new document; `JsonPath` copies what it changes, so the input stays as it is."""
        passes, null_safe = self.settings.pass_through, self.settings.null_safe_access
        made: Document = document if passes else {}
        for operation, source, target in self._rows:
            value = source.get(document, None) if null_safe else source.get(document)
            if operation in ("move", "delete") and passes and source.query(made):
                made = {} if source.names == () else source.delete(made)
            if operation == "update":
                made = target.set(made, _appended(target, made, value))
            elif operation != "delete":
                made = _written(target, made, value)
        return made


def _written(target: JsonPath, document: Document, value: Value) -> Document:
    if target.names == ():
        if value.__class__ is not dict:
            raise DataError(
                "the document cannot be restructured",
                f"the target '$' needs an object, but the source is {excerpt(value)}",
                "name a field as the target, such as $value",
            )
        return document | value
    written: Document = target.set(document, value)
    return written


def _appended(target: JsonPath, document: Document, value: Value) -> list[Value]:
    there = target.get(document, None)
    begin = there if there.__class__ is list else [] if there is None else [there]
    return begin + (value if value.__class__ is list else [value])
