"""Turn the rows of a sheet in an Excel workbook (.xlsx) into documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO, Any

from engine.sdk import (
    Document,
    Evaluated,
    Example,
    Foreign,
    Issue,
    Settings,
    StreamEnd,
    StreamStart,
    View,
    Views,
    setting,
)
from snaps.parse.shared.excel_rows import SheetRows
from snaps.parse.shared.stored_stream import StoredStreamSnap
from snaps.shared.csv_columns import names_in
from snaps.shared.extras import library


class ExcelParserSettings(Settings):
    sheet: Evaluated[str] = setting(
        default=Evaluated("0"),
        help="The name of the sheet, or its position, counted from 0.",
        example="Orders",
    )
    contains_header: bool = setting(
        default=True, help="The header row holds the names of the columns."
    )
    header_row: int = setting(default=1, help="The number of the header row, counted from 1.")
    start_row: int | None = setting(
        default=None, help="The first row to read; otherwise the one after the header."
    )
    end_row: int | None = setting(default=None, help="The last row to read; otherwise the last.")
    columns: tuple[str, ...] = setting(
        default=(),
        help="The names of the columns, instead of those in the header.",
        example=["id", "name"],
    )
    evaluate_formulas: bool = setting(
        default=False,
        help="Output the result of a formula that Excel stored in the file; otherwise its text, "
        "such as `=A1+B1`.",
    )
    null_empty_columns: bool = setting(
        default=False, help="Output null for an empty cell; otherwise the field is absent."
    )


class ExcelParser(StoredStreamSnap[ExcelParserSettings]):
    kind = "Excel"
    since = "0.4.0"
    about = """
    Each row becomes a document; rows without any value are skipped. Numbers, booleans and dates
    keep their types, and an error in a cell is its text, such as `#DIV/0!`. Columns without a name
    are called field001 and so on, by their number. The workbook is stored until it is complete, and
    then read row by row. Install it with `pip install 'snapline[excel]'`.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-excelparser",
        "Excel Parser",
        version=4,
        settings={
            "sheetIndexOrNameProp": "sheet",
            "sheetNameProp": "sheet",
            "containsHeaderProp": "contains_header",
            "headerRowProp": "header_row",
            "startRowProp": "start_row",
            "endRowProp": "end_row",
            "columnNamesProp[].columnName": "columns[]",
            "EvaluateFormulasProp": "evaluate_formulas",
            "nullEmptyColumns": "null_empty_columns",
        },
        ignored=("lastBlankHeaders",),
    )
    views = Views(inputs=(View("input", "binary", unlinked="refused"),))
    stateful = False
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "what is not a workbook fails",
            on_error="discard",
            given=[StreamStart(), b"id,name\n1,Ada\n", StreamEnd()],
            expect=[],
        ),
    )

    @classmethod
    def check(cls, settings: ExcelParserSettings) -> Iterable[Issue]:
        for name in ("header_row", "start_row", "end_row"):
            value = getattr(settings, name)
            if value is not None and value < 1:
                yield Issue((name,), f"{name} must be at least 1", "rows are counted from 1")

    def open(self) -> None:
        library("openpyxl", extra="excel", snap="ExcelParser")
        self._sheet = str(self.context.value(self.settings.sheet, {}))

    def documents(self, file: IO[bytes]) -> Iterator[Document]:
        rows = SheetRows(file, self._sheet, self.settings.evaluate_formulas)
        try:
            yield from self._documents(rows)
        finally:
            rows.close()

    def _documents(self, rows: Iterable[list[Any]]) -> Iterator[Document]:
        settings = self.settings
        header = settings.header_row if settings.contains_header else 0
        start = settings.start_row or header + 1
        names = list(settings.columns)
        for number, row in enumerate(rows, 1):
            if number == header:
                found = names_in(["" if cell is None else str(cell).strip() for cell in row])
                names = [*names, *found[len(names) :]]
            if settings.end_row is not None and number > settings.end_row:
                return
            if number < start or number == header or not any(cell is not None for cell in row):
                continue
            if len(row) > len(names):
                names += names_in([""] * len(row))[len(names) :]
            yield self._document(names, row)

    def _document(self, names: list[str], row: list[Any]) -> Document:
        if self.settings.null_empty_columns:
            row = row + [None] * (len(names) - len(row))
            return dict(zip(names, row, strict=False))
        pairs = zip(names, row, strict=False)
        return {name: cell for name, cell in pairs if cell is not None}
