from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import pytest

from engine.errors import ConfigurationError
from engine.testing import run_snap

SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "order",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "price", "type": "double"},
        {"name": "note", "type": ["null", "string"]},
        {
            "name": "exact",
            "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
        },
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {
            "name": "lines",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "line",
                    "fields": [{"name": "n", "type": ["null", "float"]}],
                },
            },
        },
    ],
}
SMALL = {"type": "record", "name": "r", "fields": [{"name": "id", "type": "long"}]}
DOCUMENT: dict[str, Any] = {
    "id": 1,
    "price": Decimal("2.5"),
    "exact": Decimal("2.50"),
    "day": date(2026, 3, 1),
    "at": datetime(2026, 3, 1, 10, tzinfo=UTC),
    "lines": [{"n": Decimal("0.5")}, {"n": 1}, {}],
    "unknown": "left out",
}


def records(pieces: list[Any]) -> list[Any]:
    data = b"".join(piece for piece in pieces if isinstance(piece, bytes))
    return list(fastavro.reader(BytesIO(data)))


def test_documents_become_records_of_the_schema() -> None:
    pieces = run_snap("AvroFormatter", {"schema": SCHEMA}, [DOCUMENT] * 200).output
    expected = {
        **{key: value for key, value in DOCUMENT.items() if key != "unknown"},
        "price": 2.5,
        "note": None,
        "lines": [{"n": 0.5}, {"n": 1.0}, {"n": None}],
    }
    assert records(pieces) == [expected] * 200


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz"])
def test_what_was_written_is_parsed_to_the_same_documents(codec: str) -> None:
    documents = [{"id": number} for number in range(300)]
    pieces = run_snap("AvroFormatter", {"schema": SMALL, "codec": codec}, documents).output
    assert run_snap("AvroParser", {}, pieces).output == documents


@pytest.mark.parametrize("bad", [{"id": "x"}, {}, {"id": None}, {"id": 2**63}, {"id": 1.5}])
def test_a_document_that_the_schema_does_not_allow_fails_alone(bad: Any) -> None:
    given = [{"id": 1}, bad, {"id": 2}]
    result = run_snap("AvroFormatter", {"schema": SMALL}, given, on_error="route")
    assert records(result.output) == [{"id": 1}, {"id": 2}]
    (error,) = result.errors
    assert error["error"] == "the Avro schema does not allow the document"
    assert "r.id" in error["reason"]
    assert error["reason"].endswith("expected long")


def test_the_schema_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "r.avsc").write_text(json.dumps(SMALL))
    settings = {"schema_file": "r.avsc"}
    pieces = run_snap("AvroFormatter", settings, [{"id": 1}], project=tmp_path).output
    assert records(pieces) == [{"id": 1}]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "there is no schema"),
        ({"schema": SMALL, "schema_file": "x"}, "schema and schema_file are set"),
        ({"schema": {**SMALL, "fields": [{"name": "a", "type": "lang"}]}}, "no Avro type 'lang'"),
        ({"schema": {"type": "array", "items": "int"}}, "must be of the type 'record'"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused(settings: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        run_snap("AvroFormatter", settings, [{"id": 1}])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "the schema 'r.avsc' is not JSON: Expecting property name"),
        (
            '{"type": "record", "name": "r"}',
            "the schema 'r.avsc' is not a valid Avro schema: the Avro type 'record' needs 'fields' "
            "at $; add fields: ...",
        ),
        (
            '{"type": "record", "name": "r", "fields": [{"name": "a", "type": "text"}]}',
            "the schema 'r.avsc' is not a valid Avro schema: there is no Avro type 'text' "
            "at $.fields[0].type; write string",
        ),
        (
            '{"type": "record", "name": "", "fields": []}',
            "the schema 'r.avsc' is not a valid Avro schema: the Avro type 'record' needs a name "
            "at $; add name: ...",
        ),
        ('"int"', "the schema 'r.avsc' must be of the type 'record'"),
    ],
)
def test_a_file_that_holds_no_usable_schema_is_named_with_the_reason(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "r.avsc").write_text(text)
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        run_snap("AvroFormatter", {"schema_file": "r.avsc"}, [{"id": 1}], project=tmp_path)


def test_no_documents_are_an_empty_file_or_nothing() -> None:
    assert records(run_snap("AvroFormatter", {"schema": SMALL}, []).output) == []
    settings = {"schema": SMALL, "ignore_empty_stream": True}
    assert run_snap("AvroFormatter", settings, []).output == []


@pytest.mark.parametrize("value", [Decimal("1e400"), float("inf"), float("nan")])
@pytest.mark.parametrize("kind", ["double", "float", ["int", "null", "double"]])
def test_a_number_that_no_float_holds_is_an_error(value: Any, kind: Any) -> None:
    schema = {**SMALL, "fields": [{"name": "n", "type": kind}]}
    given = [{"n": Decimal("0.5")}, {"n": value}]
    run = run_snap("AvroFormatter", {"schema": schema}, given, on_error="route")
    assert records(run.output) == [{"n": 0.5}]
    assert re.search("too large for a|cannot be written", run.errors[0]["reason"])
