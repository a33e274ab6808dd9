"""The rows of a sheet, read one by one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from math import isfinite
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

from engine.sdk import DataError

_OLD_FORMAT = b"\xd0\xcf\x11\xe0"
MAX_SIZE = 4 * 1024**3
MAX_RATIO = 200
_HARMLESS = 64 * 1024**2
"""A workbook that is larger unpacked must not be more than MAX_RATIO times as large as packed."""


class SheetRows:
    """Raises DataError if the file is not a workbook or has no such sheet."""

    def __init__(self, file: IO[bytes], sheet: str, evaluates: bool) -> None:
        _check(file)
        from openpyxl import load_workbook

        self._book = load_workbook(file, read_only=True, data_only=evaluates)
        self._sheet = self._found(sheet)

    def __iter__(self) -> Iterator[list[Any]]:
        self._sheet.reset_dimensions()  # some programs write wrong ones
        for row in self._sheet.iter_rows(values_only=True):
            cells = list(map(_value, row))
            while cells and cells[-1] is None:
                cells.pop()
            yield cells

    def close(self) -> None:
        self._book.close()

    def _found(self, sheet: str) -> Any:
        sheets = [each for each in self._book.worksheets if hasattr(each, "iter_rows")]
        for each in sheets:
            if each.title == sheet:
                return each
        if sheet.isdigit() and int(sheet) < len(sheets):
            return sheets[int(sheet)]
        names = ", ".join(repr(each.title) for each in sheets)
        self.close()
        raise DataError(
            f"the workbook has no sheet {sheet!r}",
            f"its sheets are: {names}",
            "set sheet to one of these names, or to a position, counted from 0",
        )


def _check(file: IO[bytes]) -> None:
    """Refuse what is not a zip file, and one that unpacks to far more than it seems."""
    start = file.read(4)
    if start == _OLD_FORMAT:
        raise DataError(
            "cannot parse the stream as Excel",
            "it is a workbook of Excel 97 to 2003 (.xls), or an encrypted one",
            "save it as .xlsx, without a password",
        )
    try:
        entries = ZipFile(file).infolist()
    except BadZipFile:
        raise DataError(
            "cannot parse the stream as Excel",
            "it is not an .xlsx file, or it is truncated",
            "check that the file is a complete .xlsx file",
        ) from None
    size = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if size > MAX_SIZE or (size > _HARMLESS and size > MAX_RATIO * packed):
        raise DataError(
            "the workbook is refused",
            f"it unpacks from {packed:,} to {size:,} bytes",
            "open it in a spreadsheet program and save it again",
        )
    file.seek(0)


def _value(cell: Any) -> Any:
    """The value of a cell as a document holds it."""
    if isinstance(cell, float):
        return Decimal(repr(cell)) if isfinite(cell) else str(cell)
    if isinstance(cell, timedelta):
        return str(cell)
    if cell is None or isinstance(cell, str | int | bool) or hasattr(cell, "isoformat"):
        return None if cell == "" else cell
    return getattr(cell, "text", None) or str(cell)  # an array formula
