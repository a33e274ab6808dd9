"""Rows of CSV text that arrives in pieces, for all snaps that read CSV.

Python's `csv` module does the work. It cannot be stopped in the middle of a record, so the text is
cut after its last line end, and a marker line behind it shows whether a quote is still open there.
Two rules differ from the module's: an escape character counts only before a quote, a delimiter or
another escape character, so that `C:\\temp` stays as it is; and spaces around a value belong to it
only if they are quoted, which the module does not tell: a scanner of our own reads such rows again.
"""

from __future__ import annotations

import csv
import re
from io import StringIO
from itertools import chain
from operator import methodcaller
from typing import Any, NamedTuple

Row = list[str]

MAX_RECORD = 16 * 1024 * 1024
"""Characters of one record; a quote that is never closed would swallow the rest of the stream."""

_BLANKS = " \t"
_MARK = "\ue000\ue001"
_NEVER_CLOSED = "the quote that opens a value is never closed"
_TOO_LONG = f"the record has more than {MAX_RECORD:,} characters; a quote may never be closed"


class CsvDialect(NamedTuple):
    """How the text is written. An empty `quote` or `escape` means that there is none."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = "\\"
    trims: bool = True


class CsvRows:
    """Cuts text into rows. A blank line is an empty row.

    `error` is the reason why the text after the last rows cannot be read, and `error_line` the
    number of the line where it begins.
    """

    def __init__(self, dialect: CsvDialect) -> None:
        delimiter, quote, escape, trims = dialect
        blanks = _BLANKS.replace(delimiter, "") if trims else ""
        ends = (delimiter, "\n", "\r")
        self.error = ""
        self._buffer: list[str] = []
        self._size = self._wanted = 0
        self._first_line, self._next_line = 1, 1
        self._rows: list[Row] = []
        self._edges = [pair for b in blanks for end in ends for pair in (b + end, end + b)]
        self._edges += [pair for b in blanks if quote for pair in (b + quote, quote + b)]
        self._blanks, self._quote = blanks, quote
        self._strip = methodcaller("strip", blanks)
        self._escape = escape
        specials = re.escape(quote + escape + delimiter)
        self._escapes = re.compile(f"{re.escape(escape)}[{specials}]?+") if escape else None
        self._scanner = _Scanner(dialect, blanks) if blanks and quote else None
        self._options: dict[str, Any] = {
            "delimiter": delimiter,
            "quotechar": quote or None,
            "quoting": csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        }
        csv.field_size_limit(max(csv.field_size_limit(), 4 * MAX_RECORD))

    @property
    def error_line(self) -> int:
        return self._next_line

    def line_of(self, index: int) -> int:
        """The number of the line where a row begins that was returned last."""
        return self._first_line + sum(1 + _line_ends(",".join(row)) for row in self._rows[:index])

    def skip_lines(self, count: int) -> None:
        """Count lines that were removed from the beginning of the text."""
        self._next_line += count

    def feed(self, text: str) -> list[Row]:
        """The rows that are complete now that this text has arrived."""
        self._buffer.append(text)
        self._size += len(text)
        if self._size < self._wanted:  # a record is long: wait until there is twice as much of it
            return self._returned([], "")
        text = "".join(self._buffer)
        end = max(text.rfind("\n"), text.rfind("\r", 0, len(text) - 1)) + 1
        rows, taken = self._complete(text[:end]) if end else ([], 0)
        rest = text[taken:]
        self._buffer, self._size = [rest], len(rest)
        self._wanted = 0 if rows else 2 * len(rest)
        if len(rest) > MAX_RECORD:
            self.error = _TOO_LONG
        return self._returned(rows, text[:taken])

    def end(self) -> list[Row]:
        """The last rows."""
        text = "".join(self._buffer)
        self._buffer = []
        if not text:
            return self._returned([], "")
        if not text.endswith(("\n", "\r")):
            text += "\n"
        rows, taken = self._complete(text)
        if taken < len(text):
            self.error = _NEVER_CLOSED
        return self._returned(rows, text[:taken])

    def _returned(self, rows: list[Row], text: str) -> list[Row]:
        self._rows = rows
        self._first_line = self._next_line
        self._next_line += _line_ends(text)
        return rows

    def _complete(self, text: str) -> tuple[list[Row], int]:
        """The rows of some lines, and the number of characters that they take up."""
        options = self._options
        protected = text
        if self._escapes is not None and self._escape in text:
            protected = self._escapes.sub(_doubled, text)
            options = {**options, "escapechar": self._escape}
        lines = StringIO(protected, newline="")
        rows = list(csv.reader(chain(lines, (_MARK,)), **options))
        last = rows.pop()
        taken = len(text)
        if last != [_MARK]:
            open_lines = list(StringIO(text, newline=""))[-_line_ends(",".join(last)) :]
            taken -= sum(map(len, open_lines))
        if self._edges and (text[0] in _BLANKS or any(pair in text for pair in self._edges)):
            return self._trimmed(rows, text, taken)
        return rows, taken

    def _trimmed(self, rows: list[Row], text: str, taken: int) -> tuple[list[Row], int]:
        """The rows without the spaces around values, except those within quotes."""
        values = list(chain.from_iterable(rows))
        if list(map(str.strip, values)) == values:  # the fastest way to see that there are none
            return rows, taken
        stripped = [list(map(self._strip, row)) for row in rows]
        changed = [index for index, row in enumerate(rows) if stripped[index] != row]
        if self._scanner is None or self._quote not in text:
            lines = None
        elif any(value.startswith(self._quote) for index in changed for value in stripped[index]):
            return self._scanner.rows(text)  # a quote after a space: the rows may be wrong
        else:
            lines = _RowLines(rows, text)
        for index in changed:
            written = "" if lines is None else lines.of(index)
            if self._scanner is not None and self._quote in written:
                stripped[index] = self._scanner.rows(written)[0][0]
            elif stripped[index] == [""]:
                stripped[index] = []  # a line of spaces is blank
        return stripped, taken


class _RowLines:
    """The text of each row; rows are asked for in ascending order."""

    def __init__(self, rows: list[Row], text: str) -> None:
        self._rows = rows
        self._lines = list(StringIO(text, newline=""))
        self._row = self._line = 0

    def of(self, index: int) -> str:
        for row in self._rows[self._row : index]:
            self._line += 1 + _line_ends(",".join(row))
        self._row = index
        end = self._line + 1 + _line_ends(",".join(self._rows[index]))
        return "".join(self._lines[self._line : end])


class _Scanner:
    """Cuts text into rows by a regular expression that sees which spaces are within quotes."""

    def __init__(self, dialect: CsvDialect, blanks: str) -> None:
        d, q, e = (re.escape(each) for each in dialect[:3])
        special = f"{e}[{q}{e}{d}]?+" if e else "(?!)"
        self._blanks = blanks
        self._quote, self._escape = dialect.quote, dialect.escape
        self._token = re.compile(
            rf"[{blanks}]*+(?:{q}([^{q}{e}]*+(?:(?:{q}{q}|{special})[^{q}{e}]*+)*+)(?:{q}([^{d}\r\n]*+)|\Z)"
            rf"|([^{d}{e}\r\n]*+(?:{special}[^{d}{e}\r\n]*+)*+))({d}|\r\n|\n|\r|\Z)"
        )
        self._written = re.compile(rf"{e}([{q}{e}{d}])" if e else "(?!)()")

    def rows(self, text: str) -> tuple[list[Row], int]:
        rows: list[Row] = []
        row: Row = []
        taken = 0
        for token in self._token.finditer(text):
            body, tail, plain, end = token.groups()
            if plain is not None:
                row.append(self._unescaped(plain.rstrip(self._blanks)))
            elif tail is None:
                break  # the quote is still open
            else:
                value = self._unescaped(body.replace(2 * self._quote, self._quote))
                row.append((value + tail).rstrip(self._blanks) if tail.strip() else value)
            if end in _LINE_ENDS:
                is_blank = row == [""] and plain is not None
                rows.append([] if is_blank else row)
                row, taken = [], token.end()
                if taken == len(text):
                    break
        return rows, taken

    def _unescaped(self, value: str) -> str:
        if not self._escape or self._escape not in value:
            return value
        return self._written.sub(r"\1", value)


_LINE_ENDS = frozenset(("\n", "\r", "\r\n"))


def _line_ends(text: str) -> int:
    ends = text.count("\n")
    return ends + text.count("\r") - text.count("\r\n") if "\r" in text else ends


def _doubled(escape: re.Match[str]) -> str:
    """An escape that has nothing to escape, so that the reader takes it literally."""
    return escape[0] if len(escape[0]) > 1 else 2 * escape[0]
