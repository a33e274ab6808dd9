from __future__ import annotations

from datetime import datetime, time
from decimal import Decimal
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import Workbook

from engine.documents import Item, StreamEnd, StreamStart
from engine.errors import ConfigurationError
from engine.testing import SnapRun, run_snap


def workbook(
    *rows: list[Any], sheet: str = "First", more: dict[str, list[Any]] | None = None
) -> bytes:
    book = Workbook()
    page = book.active
    page.title = sheet
    for row in rows:
        page.append(row)
    for name, others in (more or {}).items():
        second = book.create_sheet(name)
        for row in others:
            second.append(row)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def parse(data: bytes, on_error: Any = "stop", **values: Any) -> SnapRun:
    chunks = [data[start : start + 1000] for start in range(0, len(data), 1000)]
    given: list[Item] = [StreamStart({"content-location": "x.xlsx"}), *chunks, StreamEnd()]
    return run_snap("ExcelParser", values, given, on_error=on_error, exact=True)


def test_rows_become_documents_with_the_types_of_the_cells() -> None:
    day = datetime(2026, 3, 1, 10, 30)
    data = workbook(
        ["id", "name", "price", "open", "day", "at"],
        [1, "Ada", 2.5, True, day, time(8, 15)],
        [2, "007", 0.1, False, None, None],
    )
    assert parse(data).output == [
        {
            "id": 1,
            "name": "Ada",
            "price": Decimal("2.5"),
            "open": True,
            "day": day,
            "at": time(8, 15),
        },
        {"id": 2, "name": "007", "price": Decimal("0.1"), "open": False},
    ]


def test_an_empty_cell_is_absent_or_null_and_an_empty_row_is_skipped() -> None:
    data = workbook(["a", "b", "c"], [1, None, 3], [None, None, None], [None, "x"])
    assert parse(data).output == [{"a": 1, "c": 3}, {"b": "x"}]
    assert parse(data, null_empty_columns=True).output == [
        {"a": 1, "b": None, "c": 3},
        {"a": None, "b": "x", "c": None},
    ]


def test_columns_without_a_name_or_with_that_of_another_keep_their_values() -> None:
    data = workbook(["a", None, "a", 5], [1, 2, 3, 4, 6])
    assert parse(data).output == [{"a": 1, "field002": 2, "a_1": 3, "5": 4, "field005": 6}]


@pytest.mark.parametrize("sheet", ["Second", "1"])
def test_a_sheet_is_chosen_by_name_or_position(sheet: str) -> None:
    data = workbook(["a"], [1], more={"Second": [["b"], [2]]})
    assert parse(data, sheet=sheet).output == [{"b": 2}]


def test_a_sheet_that_does_not_exist_fails_and_the_others_are_listed() -> None:
    (error,) = parse(workbook(["a"]), on_error="route", sheet="Orders").errors
    assert error["error"] == "the workbook has no sheet 'Orders'"
    assert error["reason"] == "its sheets are: 'First'"


def test_rows_can_be_chosen_and_columns_named() -> None:
    data = workbook(["title"], [], ["a", "b"], [1, 2], [3, 4], [5, 6], [7, 8])
    chosen = {"header_row": 3, "start_row": 5, "end_row": 6}
    assert parse(data, **chosen).output == [{"a": 3, "b": 4}, {"a": 5, "b": 6}]
    assert parse(data, header_row=3, end_row=4, columns=["x"]).output == [{"x": 1, "b": 2}]
    assert parse(workbook([1, 2]), contains_header=False).output == [{"field001": 1, "field002": 2}]


def test_formulas_are_text_or_the_result_that_is_stored() -> None:
    data = workbook(["a", "b"], [1, "=A2+1"])
    assert parse(data).output == [{"a": 1, "b": "=A2+1"}]
    assert parse(data, evaluate_formulas=True).output == [{"a": 1}]  # openpyxl stored no result


def test_an_error_in_a_cell_is_its_text() -> None:
    assert parse(workbook(["a"], ["#DIV/0!"], ["#N/A"])).output == [{"a": "#DIV/0!"}, {"a": "#N/A"}]


def bomb() -> bytes:
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", b"\0" * (70 * 1024 * 1024))
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "error", "reason"),
    [
        (b"", "as Excel", "it is empty"),
        (b"id,name\n", "as Excel", "not an .xlsx file, or it is truncated"),
        (workbook(["a"], [1])[:-30], "as Excel", "truncated"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "as Excel", "(.xls), or an encrypted one"),
        (bomb(), "the workbook is refused", "it unpacks from"),
    ],
    ids=["empty", "CSV", "truncated", "xls", "bomb"],
)
def test_what_is_not_a_workbook_fails_alone(data: bytes, error: str, reason: str) -> None:
    (found,) = parse(data, on_error="route").errors
    assert error in found["error"]
    assert reason in found["reason"]
    assert found["original"] == {"content-location": "x.xlsx"}


def test_a_zip_file_without_a_workbook_fails() -> None:
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "x")
    (error,) = parse(file.getvalue(), on_error="route").errors
    assert error["error"] == "cannot parse the stream as Excel"


def test_rows_are_counted_from_1() -> None:
    with pytest.raises(ConfigurationError, match="header_row must be at least 1"):
        parse(b"", header_row=0)
