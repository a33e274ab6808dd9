"""A sheet that is written row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from tempfile import TemporaryFile
from typing import Any, NamedTuple

from engine.sdk import DataError, Document, Value, excerpt, to_json
from snaps.shared.typed_text import typed

MAX_ROWS = 1_048_576
MAX_COLUMNS = 16_384
MAX_CHARACTERS = 32_767
EXACT_DIGITS = 15
_CHUNK = 128 * 1024


class SheetStyle(NamedTuple):
    converts_numbers: bool
    writes_dates: bool
    writes_formulas: bool


class ExcelSheet:
    """The only sheet of a workbook. The rows are in a temporary file until it is saved."""

    def __init__(self, name: str, style: SheetStyle) -> None:
        from openpyxl import Workbook

        self._book = Workbook(write_only=True)
        self._sheet = self._book.create_sheet(name)
        self._style = style
        self._rows = 0
        self._is_saved = False

    def check(self, document: Document, columns: Sequence[str]) -> None:
        """Raise DataError for a document that `add` cannot write."""
        if len(columns) > MAX_COLUMNS:
            raise _refusal(f"a sheet has at most {MAX_COLUMNS:,} columns", "write fewer fields")
        if self._rows >= MAX_ROWS:
            raise _refusal(f"a sheet has at most {MAX_ROWS:,} rows", "write several workbooks")
        for column in columns:
            self._cell(document.get(column), column)

    def add(self, document: Document, columns: Sequence[str]) -> None:
        self._rows += 1
        self._sheet.append([self._cell(document.get(column), column) for column in columns])

    def saved(self) -> Iterator[bytes]:
        """The bytes of the workbook."""
        with TemporaryFile() as file:
            self._is_saved = True
            self._book.save(file)
            file.seek(0)
            while chunk := file.read(_CHUNK):
                yield chunk

    def close(self) -> None:
        """Remove the temporary file of a workbook that is not saved."""
        if not self._is_saved:
            self._is_saved = True
            with TemporaryFile() as file:
                self._book.save(file)

    def _cell(self, value: Value, column: str) -> Any:
        if value is None or value.__class__ is bool:
            return value
        if value.__class__ is str:
            return self._from_text(value, column)
        if isinstance(value, int | float | Decimal):
            return _number(value, column)
        if self._style.writes_dates and isinstance(value, date | time):
            return _without_zone(value)
        text = to_json(value, f"the value of {column!r}").decode()
        return self._text(text[1:-1] if text.startswith('"') else text, column)

    def _from_text(self, value: str, column: str) -> Any:
        if self._style.converts_numbers and value[:1] in _NUMERIC:
            number = typed(value)
            if not isinstance(number, str | bool):
                return _number(number, column) if _is_exact(number) else self._text(value, column)
        if self._style.writes_formulas and value[:1] == "=":
            return value
        return self._text(value, column)

    def _text(self, value: str, column: str) -> Any:
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.utils.exceptions import IllegalCharacterError

        if len(value) > MAX_CHARACTERS:
            raise _refusal(
                f"the value of {column!r} has {len(value):,} characters; a cell holds "
                f"{MAX_CHARACTERS:,}",
                "shorten it first, for example with a Mapper",
            )
        try:
            cell = WriteOnlyCell(self._sheet, value)
            value.encode()
        except (IllegalCharacterError, UnicodeEncodeError):
            raise _refusal(
                f"the value of {column!r} has a character that a cell cannot hold",
                "remove it first, for example with a Mapper",
            ) from None
        cell.data_type = "s"  # also if it begins with '='
        return cell


_NUMERIC = frozenset("-0123456789")

LARGEST = 307
"""The exponent from which on Excel has no numbers."""


def _is_exact(number: Any) -> bool:
    return len(Decimal(number).as_tuple().digits) <= EXACT_DIGITS


def _number(value: Any, column: str) -> Any:
    """The number, or its digits as text if Excel would round it, or cannot hold it."""
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if exact.is_finite() and _is_exact(exact.normalize()) and abs(exact.adjusted()) < LARGEST:
        return value
    if not exact.is_finite():
        raise _refusal(
            f"the value of {column!r} is {excerpt(value)}, which a cell cannot hold",
            "change it first, for example with a Mapper",
        )
    return str(value)


def _without_zone(value: Any) -> Any:
    """Excel has no time zones: the time is that of UTC."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        offset = value.utcoffset()
        return value.replace(tzinfo=None) - offset if offset else value.replace(tzinfo=None)
    return value


def _refusal(reason: str, resolution: str) -> DataError:
    return DataError("cannot write the document to a sheet", reason, resolution)
