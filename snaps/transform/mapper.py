"""Make a new document from each document: each mapping writes one expression to one target."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from engine.sdk import (
    Batch,
    DataError,
    Document,
    Example,
    Expression,
    Foreign,
    Issue,
    Make,
    Path,
    ReadPaths,
    Settings,
    Snap,
    Step,
    StreamEnd,
    StreamStart,
    TargetPath,
    View,
    Views,
    exact_decimals,
    paths_read,
    setting,
)
from snaps.transform.shared.header_mapping import HeaderMapping

Kind = Literal["document", "binary"]


class MappingRow(Settings):
    expression: Expression | Path = setting(
        help="The value to write; without a target, the path to delete.",
        example="$price * $count",
    )
    target: TargetPath | None = setting(
        default=None,
        help="Where to write it; without a target, everything at the path is deleted, such as "
        "`$orders[*].note` or `$..[?(value == null)]`.",
        example="$total",
    )

    def settled(self) -> MappingRow:
        if self.target and self.target.text.strip():
            return self
        return MappingRow(expression=Path(self.expression.text))


class MapperSettings(Settings):
    mappings: dict[TargetPath, Expression] | tuple[MappingRow, ...] = setting(
        default={},
        help="Target path to expression, applied from top to bottom. As a list of rows "
        "`{target, expression}` a row without a target deletes.",
        example={"$total": "$price * $count"},
    )
    mapping_root: Path = setting(
        default=Path("$"),
        help="The part of the document that the mappings see and change, such as `$orders[*]`; "
        "everything else passes through.",
    )
    pass_through: bool = setting(
        default=False, help="Start from the input document; otherwise from an empty one."
    )
    null_safe_access: bool = setting(
        default=False,
        help="Read a missing path as null; otherwise it fails the document.",
    )
    input_type: Kind = setting(
        default="document",
        help="What arrives: documents, or binary streams, whose header the mappings see.",
    )
    output_type: Kind = setting(
        default="document",
        help="What leaves: documents, or binary streams with the new header and unchanged bytes.",
    )


class Mapper(Snap[MapperSettings]):
    since = "0.1.0"
    about = """
    Mappings run from top to bottom, and a later one may refine what an earlier one wrote; their
    expressions all read the input document. Without
    `pass_through` the new document holds only the targets; with it, it starts as a copy of the
    input document.

    With `input_type: binary` the fields of the header of each stream are `$name`. The new header
    leaves with the stream, or as a document without it if `output_type` is `document`.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-datatransform",
        "Mapper",
        version=4,
        settings={
            "transformations.mappingTable[].targetPath": "mappings[].target",
            "transformations.mappingTable[].expression": "mappings[].expression",
            "transformations.mappingRoot": "mapping_root",
            "passThrough": "pass_through",
            "nullSafeAccess": "null_safe_access",
        },
    )
    stateful = False
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "a field is renamed and another computed",
            settings={"mappings": {"$name": "$n", "$total": "$price * $count"}},
            given=[{"n": "bolt", "price": 2, "count": 3}],
            expect=[{"name": "bolt", "total": 6}],
        ),
        Example(
            "a row without a target deletes",
            settings={
                "mappings": [
                    {"target": "$full", "expression": "$first + ' ' + $last"},
                    {"expression": "$first"},
                ],
                "pass_through": True,
            },
            given=[{"first": "Ada", "last": "Lovelace"}],
            expect=[{"last": "Lovelace", "full": "Ada Lovelace"}],
        ),
        Example(
            "a missing field is null",
            settings={"mappings": {"$x": "$missing"}, "null_safe_access": True},
            given=[{"a": 1}],
            expect=[{"x": None}],
        ),
        Example(
            "a stream gets another header",
            settings={
                "input_type": "binary",
                "output_type": "binary",
                "mappings": {"$name": "$id + '.txt'"},
            },
            given=[StreamStart({"id": 7}), b"hello", StreamEnd()],
            expect=[StreamStart({"name": "7.txt"}), b"hello", StreamEnd()],
        ),
    )

    @classmethod
    def views_for(cls, settings: MapperSettings) -> Views:
        if settings.input_type == settings.output_type == "document":
            return cls.views
        return Views((View("input", settings.input_type),), (View("output", settings.output_type),))

    @classmethod
    def check(cls, settings: MapperSettings) -> Iterable[Issue]:
        if settings.output_type == "binary" and settings.input_type == "document":
            message = "a document has no bytes for a binary stream"
            yield Issue(
                ("output_type",), message, "use DocumentToBinary, or set input_type as well"
            )
        if not settings.mappings and not settings.pass_through:
            yield Issue(
                ("mappings",),
                "without mappings every document becomes empty",
                "give mappings (target: expression), or set pass_through to true",
                code="unclear-setting",
                severity="warning",
            )

    @classmethod
    def reads(cls, settings: MapperSettings) -> ReadPaths | None:
        rows = rows_of(settings)
        computed = any("(" in target for target, _ in rows)
        if settings.input_type == "binary":
            return None
        if settings.pass_through or settings.mapping_root.text != "$" or computed:
            return None
        return paths_read(value for _, value in rows if isinstance(value, Expression))

    @classmethod
    def steps(cls, settings: MapperSettings) -> tuple[Step, ...]:
        rows = [(target, value.text) for target, value in rows_of(settings)]
        if settings.input_type == "binary":
            return ()
        if settings.mapping_root.text.strip() != "$" or any(not target for target, _ in rows):
            return ()
        return (Make(tuple(rows), settings.pass_through, settings.null_safe_access),)

    def open(self) -> None:
        settings = self.settings
        self._map = self.context.mapping(
            rows_of(settings),
            root=settings.mapping_root.text,
            null_safe=settings.null_safe_access,
            pass_through=settings.pass_through,
        )
        self._headers = None
        if settings.input_type == "binary":
            to_documents = settings.output_type == "document"
            self._headers = HeaderMapping(self.context, self._map, to_documents=to_documents)

    def process_batch(self, view: str, batch: Batch) -> Batch:
        with exact_decimals():
            if self._headers is not None:
                return self._headers.process_batch(batch)
            return self._mapped(batch)

    def _mapped(self, batch: Batch) -> Batch:
        results: list[Document] = []
        failed: list[int] = []
        mapped = self._map
        for document in batch.items:
            try:
                results.append(mapped(document))
            except DataError as error:
                position = len(results) + len(failed)
                self.context.failed(error, document, batch.lineage_of(position))
                failed.append(position)
        if not failed:
            return batch.with_items(results)
        good = sorted(set(range(len(batch))).difference(failed))
        return batch.at(good, results)


def rows_of(settings: MapperSettings) -> list[tuple[str, Expression | Path]]:
    """The mappings as (target, expression), and ("", path) for what is deleted."""
    mappings = settings.mappings
    if isinstance(mappings, dict):
        return [(target.text, expression) for target, expression in mappings.items()]
    return [(row.target.text if row.target else "", row.expression) for row in mappings]
