"""Turn an Avro container file into documents, by the schema in the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from engine.sdk import (
    DataError,
    Document,
    Example,
    Foreign,
    Settings,
    StreamEnd,
    StreamStart,
    View,
    Views,
    excerpt,
)
from snaps.parse.shared.library_values import document_value
from snaps.parse.shared.stored_stream import StoredStreamSnap
from snaps.shared.extras import library


class AvroParser(StoredStreamSnap[Settings]):
    kind = "Avro"
    magic = b"Obj\x01"
    since = "0.4.0"
    about = """
    Each record becomes a document. Decimals, dates and date-times keep their types, floats become
    decimals, and values that are not numbers (NaN) null. Records before a damaged block are output.
    Install it with `pip install 'snapline[avro]'`.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-avrodeserializer",
        "Avro Parser",
        version=1,
    )
    views = Views(inputs=(View("input", "binary", unlinked="refused"),))
    stateful = False
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "what is not Avro fails",
            on_error="discard",
            given=[StreamStart(), b'{"id": 1}', StreamEnd()],
            expect=[],
        ),
    )

    def open(self) -> None:
        self._avro = library("fastavro", extra="avro", snap="AvroParser")

    def documents(self, file: IO[bytes]) -> Iterator[Document]:
        try:
            records = self._avro.reader(file)
        except self._avro.schema.UnknownType as error:
            raise self._refusal(f"its schema has the unknown type {str(error)!r}") from None
        for record in records:
            value = document_value(record)
            if not isinstance(value, dict):
                raise DataError(
                    "a value of the Avro file cannot become a document",
                    f"its schema is not a record: {excerpt(value)}",
                    "write records",
                )
            yield value
