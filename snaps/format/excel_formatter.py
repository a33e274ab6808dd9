"""Write documents as a sheet of an Excel workbook (.xlsx)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
    SpilledList,
    StreamEnd,
    StreamStart,
    View,
    Views,
    setting,
)
from snaps.format.shared.excel_sheet import ExcelSheet, SheetStyle
from snaps.shared.extras import library


class ExcelFormatterSettings(Settings):
    sheet_name: Evaluated[str] = setting(default=Evaluated("Sheet0"), help="The name of the sheet.")
    write_header: bool = setting(
        default=True, help="Write the names of the fields in the first row."
    )
    convert_numeric_strings: bool = setting(
        default=True,
        help="Write strings that are numbers as numbers, unless they have leading zeros or more "
        "digits than Excel keeps.",
    )
    translate_dates: bool = setting(
        default=False, help="Write date-times as dates of Excel; otherwise as ISO text."
    )
    convert_formulas: bool = setting(
        default=False,
        help="Write strings that begin with `=` as formulas. Set it only for data that you trust.",
    )
    include_all_columns: bool = setting(
        default=False,
        help="Write the fields of all documents, which are kept on disk until the last one has "
        "come; otherwise those of the first document.",
    )
    ignore_empty_stream: bool = setting(
        default=False, help="Write nothing if there are no documents; otherwise an empty sheet."
    )


class ExcelFormatter(Snap[ExcelFormatterSettings]):
    since = "0.4.0"
    about = """
    All documents become one workbook with one sheet. Lists and maps are written as JSON, null and
    missing fields as empty cells, and numbers with more than 15 digits as text, because Excel would
    round them. Install it with `pip install 'snapline[excel]'`.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-excelformatter",
        "Excel Formatter",
        version=3,
        settings={
            "sheetNameProp": "sheet_name",
            "sheetName": "sheet_name",
            "writeHeaderProp": "write_header",
            "writeHeader": "write_header",
            "convertNumericString": "convert_numeric_strings",
            "translateDateTimeTypes": "translate_dates",
            "convertFormulas": "convert_formulas",
            "includeAllColumns": "include_all_columns",
            "ignoreEmptyStream": "ignore_empty_stream",
        },
        unsupported={"worksheetPassword": "a password"},
    )
    views = Views(outputs=(View("output", "binary"),))
    loses_lineage = "puts all documents into one workbook"
    single = True
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "no documents, and nothing is written",
            settings={"ignore_empty_stream": True},
            given={"input": []},
            expect=[],
        ),
    )

    @classmethod
    def check(cls, settings: ExcelFormatterSettings) -> Iterable[Issue]:
        name = settings.sheet_name.value
        if name is not None and (problem := _problem_of(name)):
            yield Issue(("sheet_name",), problem, "choose another name")

    _sheet: ExcelSheet | None = None
    _kept: SpilledList | None = None

    def open(self) -> None:
        library("openpyxl", extra="excel", snap="ExcelFormatter")
        settings = self.settings
        name = self.context.value(settings.sheet_name, {}) or "Sheet0"
        if problem := _problem_of(name):
            raise ConfigurationError(problem)
        self._sheet = ExcelSheet(
            name,
            SheetStyle(
                settings.convert_numeric_strings,
                settings.translate_dates,
                settings.convert_formulas,
            ),
        )
        self._columns: list[str] = []
        self._is_empty = True
        self._kept = SpilledList(_MEMORY) if settings.include_all_columns else None

    def process_batch(self, view: str, batch: Batch) -> Emission:
        for position, document in enumerate(batch.items):
            try:
                self._add(document)
            except DataError as error:
                self.context.failed(error, document, batch.lineage_of(position))
            else:
                self._is_empty = False
        return None

    def finish(self) -> Iterator[Item]:
        sheet = self._sheet
        if sheet is None or (self._is_empty and self.settings.ignore_empty_stream):
            return
        if self._kept is not None:
            self._add_header(sheet, self._columns)
            for block in self._kept:
                for document in block:
                    sheet.add(document, self._columns)
        yield StreamStart({"content-type": _CONTENT_TYPE})
        yield from sheet.saved()
        yield StreamEnd()

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()
        if self._sheet is not None:
            self._sheet.close()

    def _add(self, document: Document) -> None:
        """Raises DataError before doing anything."""
        sheet, kept = self._sheet, self._kept
        if sheet is None:
            return
        if kept is not None:
            known = set(self._columns)
            columns = self._columns + [name for name in document if name not in known]
            sheet.check(document, columns)
            kept.add([document])
            self._columns = columns
            return
        columns = list(document) if self._is_empty else self._columns
        sheet.check(document, columns)
        if self._is_empty:
            self._columns = columns
            self._add_header(sheet, columns)
        sheet.add(document, columns)

    def _add_header(self, sheet: ExcelSheet, columns: list[str]) -> None:
        if self.settings.write_header:
            sheet.add({name: name for name in columns}, columns)


_CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MEMORY = 32 * 1024 * 1024


def _problem_of(name: str) -> str:
    """Why Excel refuses the name of a sheet; empty if it does not."""
    if len(name) > 31:
        return f"the name of a sheet has at most 31 characters, but {name!r} has {len(name)}"
    if forbidden := next((sign for sign in "[]:*?/\\" if sign in name), ""):
        return f"the name of a sheet cannot contain {forbidden!r}, as in {name!r}"
    return ""
