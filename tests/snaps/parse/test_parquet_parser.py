from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from engine.documents import Item, StreamEnd, StreamStart
from engine.testing import SnapRun, run_snap

ROW = {
    "id": 1,
    "name": None,
    "price": Decimal("2.50"),
    "weight": 0.1,
    "day": date(2026, 3, 1),
    "at": datetime(2026, 3, 1, 10, tzinfo=UTC),
    "raw": b"\x00\xff",
    "tags": ["a", "b"],
    "map": {"x": True},
}


def file_of(rows: list[Any]) -> bytes:
    file = BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    return file.getvalue()


def parse(data: bytes, on_error: Any = "stop", **values: Any) -> SnapRun:
    given: list[Item] = [StreamStart(), data[:10], data[10:], StreamEnd()]
    return run_snap("ParquetParser", values, given, on_error=on_error, exact=True)


def test_rows_become_documents_with_their_types() -> None:
    expected = {**ROW, "weight": Decimal("0.1")}
    assert parse(file_of([ROW] * 3000)).output == [expected] * 3000


@pytest.mark.parametrize("place", range(4))
def test_a_damaged_byte_at_the_beginning_fails_the_stream(place: int) -> None:
    data = bytearray(file_of([ROW]))
    data[place] ^= 0x10
    result = parse(bytes(data), on_error="route")
    assert result.output == []
    assert result.errors[0]["reason"].endswith(" instead of b'PAR1'")


def test_columns_can_be_chosen() -> None:
    assert parse(file_of([ROW]), columns=["tags", "id"]).output == [{"tags": ["a", "b"], "id": 1}]


def test_a_column_that_does_not_exist_fails() -> None:
    (error,) = parse(file_of([{"a": 1}]), on_error="route", columns=["b"]).errors
    assert error["error"] == "the Parquet file has no column 'b'"
    assert error["reason"] == "its columns are: a"


@pytest.mark.parametrize("data", [b"", b"id,name\n", file_of([ROW])[:-20]])
def test_what_is_not_parquet_fails(data: bytes) -> None:
    (error,) = parse(data, on_error="route").errors
    assert error["error"] == "cannot parse the stream as Parquet"
