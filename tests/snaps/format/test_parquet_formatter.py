from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from pyarrow import parquet

from engine.errors import ConfigurationError
from engine.testing import run_snap

SCHEMA = """
message document {
  required int64 id = 1;
  optional binary name (STRING);
  optional double price;
  optional int32 exact (DECIMAL(9, 2));
  optional int32 day (DATE);
  optional int64 at (TIMESTAMP(MILLIS, true));
  repeated int32 numbers;
  optional group tags (LIST) { repeated group list { optional binary element (UTF8); } }
  optional group where { optional boolean inside; }
}
"""
DOCUMENT: dict[str, Any] = {
    "id": 1,
    "name": "Ada",
    "price": Decimal("2.5"),
    "exact": Decimal("2.50"),
    "day": date(2026, 3, 1),
    "at": datetime(2026, 3, 1, 10, tzinfo=UTC),
    "numbers": [1, 2],
    "tags": ["a", None],
    "where": {"inside": True},
}


def rows(pieces: list[Any]) -> list[Any]:
    data = b"".join(piece for piece in pieces if isinstance(piece, bytes))
    return parquet.read_table(BytesIO(data)).to_pylist()  # type: ignore[no-any-return]


def written(documents: list[Any], **values: Any) -> list[Any]:
    return rows(run_snap("ParquetFormatter", values, documents).output)


def test_documents_become_rows_of_the_schema() -> None:
    empty = dict.fromkeys(DOCUMENT)
    assert written([{**DOCUMENT, "unknown": 1}, {"id": 2}], schema=SCHEMA) == [
        DOCUMENT,
        {**empty, "id": 2},
    ]


def test_without_a_schema_the_columns_are_the_fields_of_the_documents() -> None:
    given = [{"a": 1, "d": Decimal("2.50")}, {"b": ["x"], "a": None}]
    assert written(given) == [
        {"a": 1, "d": 2.5, "b": None},
        {"a": None, "d": None, "b": ["x"]},
    ]


def test_many_groups_of_rows_leave_before_the_end() -> None:
    documents = [{"id": number, "text": "x" * 10} for number in range(25_000)]
    pieces = run_snap("ParquetFormatter", {"compression": "none"}, documents).output
    assert rows(pieces) == documents
    assert sum(isinstance(piece, bytes) for piece in pieces) == 3


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd"])
def test_what_was_written_is_parsed_to_the_same_documents(compression: str) -> None:
    documents = [{"id": number, "x": number / 8} for number in range(100)]
    pieces = run_snap("ParquetFormatter", {"compression": compression}, documents).output
    assert run_snap("ParquetParser", {}, pieces).output == documents


@pytest.mark.parametrize(
    ("settings", "bad"),
    [
        ({"schema": SCHEMA}, {"id": "x"}),
        ({"schema": SCHEMA}, {"name": "no id"}),
        ({"schema": SCHEMA}, {"id": 2**63}),
        ({}, {"id": "text after numbers"}),
    ],
)
def test_a_document_that_does_not_match_fails_alone(settings: Any, bad: Any) -> None:
    given = [{"id": 1}, {"id": 2}, bad, {"id": 3}]
    result = run_snap("ParquetFormatter", settings, given, on_error="route")
    assert [row["id"] for row in rows(result.output)] == [1, 2, 3]
    assert [error["original"] for error in result.errors] == [bad]
    assert result.errors[0]["error"] == "the Parquet schema does not allow the document"


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("document {}", "expected 'message', got 'document'"),
        ("message a { }", "a group has no fields"),
        ("message a { int64 b; }", "expected the name of a field, got ';'"),
        ("message a { some int64 b; }", "expected required, optional or repeated, got 'some'"),
        ("message a { optional text b; }", "the type 'text' is not supported"),
        ("message a { optional int64 b }", "expected ';', got '}'"),
        ("message a { optional int64 b; } x", "unexpected 'x' after the schema"),
        ("message a { optional int64 b; } !", "unexpected character '!'"),
    ],
)
def test_a_schema_that_cannot_be_parsed_is_found_when_checking(schema: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        written([], schema=schema)


def test_no_documents_are_a_file_without_rows_or_nothing() -> None:
    assert written([], schema=SCHEMA) == []
    assert written([]) == []
    assert run_snap("ParquetFormatter", {"ignore_empty_stream": True}, []).output == []


@pytest.mark.parametrize("value", [Decimal("1.50"), Decimal("-0.9"), 0.5])
def test_a_fraction_in_a_column_of_integers_is_an_error_instead_of_being_cut_off(
    value: Any,
) -> None:
    schema = "message m { optional int64 n; repeated int32 many; }"
    given = [{"n": 1}, {"n": value}, {"many": [value]}, {"n": Decimal("2.0")}]
    run = run_snap("ParquetFormatter", {"schema": schema}, given, on_error="route")
    assert rows(run.output) == [{"n": 1, "many": None}, {"n": 2, "many": None}]
    reasons = [error["reason"] for error in run.errors]
    assert reasons == [f"{value} is not an integer"] * 2


def test_a_fraction_in_a_column_of_integers_by_its_first_value_is_an_error() -> None:
    given: list[Any] = [{"n": 1}, {"n": "x"}, {"n": Decimal("0.5")}]
    run = run_snap("ParquetFormatter", {}, given, on_error="route")
    assert rows(run.output) == [{"n": 1}]
    assert run.errors[1]["reason"] == "0.5 is not an integer"


TOO_LARGE = Decimal("1e400"), float("inf"), float("nan")


@pytest.mark.parametrize("schema", ["", "message m { optional double n; }"])
def test_a_number_that_no_double_holds_is_an_error_instead_of_null(schema: str) -> None:
    given: list[Any] = [{"n": Decimal("0.5")}, *({"n": value} for value in TOO_LARGE)]
    run = run_snap("ParquetFormatter", {"schema": schema}, given, on_error="route")
    assert rows(run.output) == [{"n": 0.5}]
    assert [error["reason"] for error in run.errors] == [
        "1E+400 is too large for a double",
        "Infinity cannot be written",
        "NaN cannot be written",
    ]


def test_a_number_that_a_float_of_32_bits_does_not_hold_is_an_error() -> None:
    schema = "message m { optional float n; }"
    given = [{"n": Decimal("0.5")}, {"n": Decimal("1e39")}]
    run = run_snap("ParquetFormatter", {"schema": schema}, given, on_error="route")
    assert rows(run.output) == [{"n": 0.5}]
    assert run.errors[0]["reason"] == "1E+39 is too large for a float"
