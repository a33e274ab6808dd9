from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook

from engine.errors import ConfigurationError
from engine.testing import run_snap


def written(documents: list[Any], on_error: Any = "stop", **values: Any) -> Any:
    pieces = run_snap("ExcelFormatter", values, documents, on_error=on_error).output
    data = b"".join(piece for piece in pieces if isinstance(piece, bytes))
    return load_workbook(BytesIO(data)).worksheets[0]


def rows(documents: list[Any], **values: Any) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in written(documents, **values).iter_rows()]


def test_documents_become_rows_below_their_names() -> None:
    assert rows([{"a": 1, "b": "x"}, {"b": None, "c": 2}, {"a": Decimal("2.50")}]) == [
        ["a", "b"],
        [1, "x"],
        [None, None],
        [2.5, None],
    ]
    assert rows([{"a": 1}], write_header=False) == [[1]]


def test_all_columns_can_be_included() -> None:
    given = [{"a": 1}, {"b": 2, "a": 3}, {"c": 4}]
    assert rows(given, include_all_columns=True) == [
        ["a", "b", "c"],
        [1, None, None],
        [3, 2, None],
        [None, None, 4],
    ]


def test_values_of_all_types() -> None:
    document = {
        "yes": True,
        "list": [1, "a"],
        "numeric": "12.5",
        "code": "007",
        "digits": 12345678901234567890,
        "long": "1234567890123456789",
        "formula": "=1+1",
        "date": datetime(2026, 3, 1, 10, tzinfo=UTC),
    }
    assert rows([document])[1] == [
        True,
        '[1,"a"]',
        12.5,
        "007",
        "12345678901234567890",
        "1234567890123456789",
        "=1+1",
        "2026-03-01T10:00:00Z",
    ]


def test_text_that_begins_like_a_formula_is_not_one_unless_set() -> None:
    assert written([{"a": "=1+1"}]).cell(2, 1).data_type == "s"
    assert written([{"a": "=1+1"}], convert_formulas=True).cell(2, 1).data_type == "f"


def test_dates_and_numeric_strings_as_set() -> None:
    date = datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert rows([{"d": date}], translate_dates=True)[1] == [datetime(2026, 3, 1, 10)]
    assert rows([{"n": "5"}], convert_numeric_strings=False)[1] == ["5"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("\x01", "has a character that a cell cannot hold"),
        ("\ud800", "has a character that a cell cannot hold"),
        ("x" * 32_768, "has 32,768 characters; a cell holds 32,767"),
        (float("nan"), "is NaN, which a cell cannot hold"),
    ],
)
@pytest.mark.parametrize("keeps", [False, True])
def test_a_value_that_a_cell_cannot_hold_fails_its_document_alone(
    value: Any, reason: str, keeps: bool
) -> None:
    given = [{"a": value}, {"b": 1}, {"b": value}, {"b": 2}]
    settings = {"include_all_columns": keeps}
    result = run_snap("ExcelFormatter", settings, given, on_error="route")
    assert [reason in error["reason"] for error in result.errors] == [True, True]
    assert rows([{"b": 1}, {"b": 2}]) == rows(given, on_error="discard", **settings)


def test_no_documents_are_an_empty_sheet_or_nothing() -> None:
    assert rows([]) == []
    assert run_snap("ExcelFormatter", {"ignore_empty_stream": True}, []).output == []


def test_the_sheet_has_the_name_that_is_set() -> None:
    assert written([{"a": 1}]).title == "Sheet0"
    assert written([{"a": 1}], sheet_name="Orders").title == "Orders"


@pytest.mark.parametrize("name", ["a/b", "x" * 32])
def test_a_name_that_excel_refuses_is_found_when_checking(name: str) -> None:
    with pytest.raises(ConfigurationError, match="the name of a sheet"):
        written([], sheet_name=name)


def test_what_was_written_is_parsed_to_the_same_documents() -> None:
    documents = [{"id": n, "text": f"line {n}", "x": n / 8 + 0.1} for n in range(500)]
    pieces = run_snap("ExcelFormatter", {}, documents).output
    assert run_snap("ExcelParser", {}, pieces).output == documents


def test_a_number_beyond_those_of_excel_is_written_as_text() -> None:
    pieces = run_snap("ExcelFormatter", {}, [{"a": Decimal("1e400")}, {"a": 1}]).output
    assert run_snap("ExcelParser", {}, pieces).output == [{"a": "1E+400"}, {"a": 1}]
