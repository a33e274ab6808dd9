"""Write documents as an Avro container file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from decimal import Decimal
from io import BytesIO
from typing import Any, Literal

from engine.sdk import (
    Batch,
    ConfigurationError,
    DataError,
    Document,
    Emission,
    Evaluated,
    Example,
    Foreign,
    Issue,
    Item,
    Settings,
    Snap,
    StreamEnd,
    StreamStart,
    View,
    Views,
    setting,
)
from snaps.format.shared.avro_schema import schema_issues
from snaps.format.shared.avro_values import fitted
from snaps.shared.extras import library


class AvroFormatterSettings(Settings):
    schema: dict[str, Any] | None = setting(
        default=None,
        help="The schema, of the type `record`.",
        example={"type": "record", "name": "order", "fields": [{"name": "id", "type": "long"}]},
    )
    schema_file: Evaluated[str] = setting(
        default=Evaluated(""),
        help="A file with the schema (.avsc), instead of `schema`.",
        example="order.avsc",
    )
    codec: Literal["null", "deflate", "bzip2", "xz"] = setting(
        default="null", help="How blocks are compressed."
    )
    ignore_empty_stream: bool = setting(
        default=False, help="Write nothing if there are no documents; otherwise an empty file."
    )


class AvroFormatter(Snap[AvroFormatterSettings]):
    since = "0.4.0"
    about = """
    All documents become one container file. Fields that the schema does not have are left out, a
    missing field becomes null if the schema allows it, and decimals become floats where the schema
    has `double` or `float`. A document that the schema does not allow fails alone. Install it with
    `pip install 'snapline[avro]'`.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-avroserializer",
        "Avro Formatter",
        version=1,
        settings={"avscSchemaFile": "schema_file", "ignoreEmptyStream": "ignore_empty_stream"},
    )
    views = Views(outputs=(View("output", "binary"),))
    loses_lineage = "puts all documents into one file"
    single = True
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "a document that the schema does not allow fails, here by its id",
            settings={
                "schema": {
                    "type": "record",
                    "name": "order",
                    "fields": [
                        {"name": "id", "type": "long"},
                        {"name": "note", "type": ["null", "string"]},
                        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
                        {
                            "name": "total",
                            "type": {
                                "type": "bytes",
                                "logicalType": "decimal",
                                "precision": 18,
                                "scale": 2,
                            },
                        },
                        {"name": "items", "type": {"type": "array", "items": "string"}},
                    ],
                },
                "ignore_empty_stream": True,
            },
            on_error="discard",
            given=[{"id": "one", "day": "2026-03-01", "total": Decimal("2.50"), "items": ["nut"]}],
            expect=[],
        ),
    )

    @classmethod
    def check(cls, settings: AvroFormatterSettings) -> Iterable[Issue]:
        has_file = bool(settings.schema_file.value or settings.schema_file.expression)
        if (settings.schema is None) != has_file:
            yield Issue(
                ("schema",) if has_file else (),
                "schema and schema_file are set" if has_file else "there is no schema",
                "set one of them: schema (YAML) or schema_file (an .avsc file)",
            )
        if settings.schema is not None:
            yield from schema_issues(settings.schema, ("schema",))

    def open(self) -> None:
        settings = self.settings
        avro = library("fastavro", extra="avro", snap="AvroFormatter")
        self._validation = library("fastavro.validation", extra="avro", snap="AvroFormatter")
        self._named: dict[str, Any] = {}
        make = library("fastavro.write", extra="avro", snap="AvroFormatter").Writer
        what, written = "the schema", settings.schema
        if written is None:
            what, written = self._from_file()
        try:
            self._schema = avro.parse_schema(written, named_schemas=self._named)
            self._file = BytesIO()
            self._writer = make(self._file, self._schema, settings.codec)
        except Exception as error:  # fastavro raises many kinds
            reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            raise ConfigurationError(f"{what} is not a valid Avro schema: {reason}") from error
        if not isinstance(self._schema, dict) or self._schema.get("type") != "record":
            raise ConfigurationError(f"{what} must be of the type 'record'")
        self._begun = False

    def process_batch(self, view: str, batch: Batch) -> Emission:
        written = False
        for position, document in enumerate(batch.items):
            try:
                self._writer.write(self._record(document))
                written = True
            except DataError as error:
                self.context.failed(error, document, batch.lineage_of(position))
        return Batch(list(self._pieces())) if written else None

    def finish(self) -> Iterable[Item]:
        if self._begun or not self.settings.ignore_empty_stream:
            self._writer.flush()
            yield from self._pieces()
            yield StreamEnd()

    def _pieces(self) -> Iterable[Item]:
        """What has been written since."""
        if not self._begun:
            self._begun = True
            yield StreamStart({"content-type": "application/avro"})
        data = self._file.getvalue()
        self._file.seek(0)
        self._file.truncate()
        if data:
            yield data

    def _record(self, document: Document) -> Any:
        """Raises DataError if the schema does not allow the document."""
        try:
            record = fitted(document, self._schema, self._named)
            self._validation.validate(record, self._schema, raise_errors=True)
        except (self._validation.ValidationError, *_MISFITS) as error:
            raise DataError(
                "the Avro schema does not allow the document",
                _reason_of(error),
                "change the document first, for example with a Mapper, or correct the schema",
            ) from None
        return record

    def _from_file(self) -> tuple[str, Any]:
        """What to call the schema in messages, and the schema. Raises ConfigurationError."""
        name = self.context.file(self.settings.schema_file, {})
        what = f"the schema {str(name)!r}"
        try:
            schema = json.loads(b"".join(self.context.files.read(name)))
        except ValueError as error:
            raise ConfigurationError(f"{what} is not JSON: {error}") from None
        for issue in schema_issues(schema, ()):
            steps = (f"[{each}]" if isinstance(each, int) else f".{each}" for each in issue.path)
            remedy = f"; {issue.hint}" if issue.hint else ""
            raise ConfigurationError(
                f"{what} is not a valid Avro schema: {issue.message} at ${''.join(steps)}{remedy}"
            )
        return what, schema


_MISFITS = (ValueError, TypeError, ArithmeticError, LookupError)


def _reason_of(error: Exception) -> str:
    """`order.id is <x> of type str expected long`: the first of the reasons, on one line."""
    text = str(error).strip("[]\n ").partition("\n")[0].strip('", ')
    return re.sub(r"<class '(\w+)'>", r"\1", text)[:500] or type(error).__name__
