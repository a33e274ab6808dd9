from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import fastavro
import pytest

from engine.documents import Item, StreamEnd, StreamStart
from engine.testing import SnapRun, run_snap

SCHEMA = {
    "type": "record",
    "name": "order",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "name", "type": ["null", "string"]},
        {
            "name": "price",
            "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
        },
        {"name": "weight", "type": "double"},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "raw", "type": "bytes"},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
    ],
}
RECORD = {
    "id": 1,
    "name": None,
    "price": Decimal("2.50"),
    "weight": 0.1,
    "day": date(2026, 3, 1),
    "at": datetime(2026, 3, 1, 10, tzinfo=UTC),
    "raw": b"\x00\xff",
    "tags": ["a", "b"],
}


def container(records: list[Any], schema: Any = SCHEMA, **options: Any) -> bytes:
    file = BytesIO()
    fastavro.writer(file, fastavro.parse_schema(schema), records, **options)
    return file.getvalue()


def parse(data: bytes, on_error: Any = "stop") -> SnapRun:
    given: list[Item] = [StreamStart(), data[:10], data[10:], StreamEnd()]
    return run_snap("AvroParser", {}, given, on_error=on_error, exact=True)


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz"])
def test_records_become_documents_with_their_types(codec: str) -> None:
    expected = {**RECORD, "weight": Decimal("0.1")}
    assert parse(container([RECORD, RECORD], codec=codec)).output == [expected, expected]


def test_records_before_a_damaged_block_are_output() -> None:
    records = [{**RECORD, "id": number} for number in range(100)]
    data = container(records, sync_interval=200)
    result = parse(data[:-200], on_error="route")
    assert 0 < len(result.output) < 100
    assert [document["id"] for document in result.output] == list(range(len(result.output)))
    (error,) = result.errors
    assert error["error"] == "cannot parse the stream as Avro"
    assert error["reason"].startswith(f"after document {len(result.output)}: ")


@pytest.mark.parametrize("data", [b"", b'{"id": 1}', b"Obj\x01", container([RECORD])[:40]])
def test_what_is_not_a_container_file_fails(data: bytes) -> None:
    (error,) = parse(data, on_error="route").errors
    assert error["error"] == "cannot parse the stream as Avro"


@pytest.mark.parametrize("place", range(4))
def test_a_damaged_byte_at_the_beginning_fails_the_stream(place: int) -> None:
    data = bytearray(container([RECORD]))
    data[place] ^= 0x10
    result = parse(bytes(data), on_error="route")
    assert result.output == []
    reason = f"its first bytes are {bytes(data[:4])!r} instead of b'Obj\\x01'"
    assert result.errors[0]["reason"] == reason


def test_a_schema_that_is_not_a_record_fails() -> None:
    (error,) = parse(container([1, 2], {"type": "int"}), on_error="route").errors
    assert error["reason"] == "its schema is not a record: 1"


def test_a_schema_with_an_unknown_type_is_named() -> None:
    data = container([RECORD]).replace(b'"double"', b'"doubel"')
    (error,) = parse(data, on_error="route").errors
    assert error["reason"] == "its schema has the unknown type 'doubel'"
