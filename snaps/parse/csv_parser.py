"""Turn CSV into documents: one for each record, with the names in the header line as fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from io import StringIO
from typing import Literal

from engine.sdk import (
    Batch,
    DataError,
    DecodeRows,
    Document,
    Emission,
    Evaluated,
    Example,
    ExecutionError,
    Foreign,
    Header,
    Issue,
    Settings,
    Step,
    StreamEnd,
    StreamSnap,
    StreamStart,
    View,
    Views,
    excerpt,
    setting,
)
from snaps.parse.shared.text_stream import TextStream, check_charset
from snaps.shared.csv_columns import Conversion, CsvColumns, column_types, names_in
from snaps.shared.csv_rows import CsvDialect, CsvRows, Row
from snaps.shared.csv_settings import character, check_characters

_PART = 128 * 1024
"""Characters of a part of a chunk."""


class CSVParserSettings(Settings):
    delimiter: Evaluated[str] = setting(
        default=Evaluated(","),
        help="The character between values; `\\t` is a tab.",
        example="\\t",
    )
    quote_character: Evaluated[str] = setting(
        default=Evaluated('"'),
        help="The character around values that contain delimiters or line breaks; within them it "
        "is doubled. Empty: there are no quotes.",
    )
    escape_character: Evaluated[str] = setting(
        default=Evaluated("\\"),
        help="Before a quote, a delimiter or itself it makes that character part of the value; "
        "elsewhere it is an ordinary character. Empty: there is none.",
    )
    skip_lines: Evaluated[int] = setting(
        default=Evaluated(0, kind=int), help="Lines to leave out before the header."
    )
    contains_header: bool = setting(
        default=True, help="The first record holds the names of the columns."
    )
    columns: tuple[str, ...] = setting(
        default=(),
        help="The names of the columns, instead of those in the header. Without either, they are "
        "called field001, field002 and so on.",
        example=["id", "name"],
    )
    validate_headers: bool = setting(
        default=False,
        help="Fail if a name in the header is empty or occurs twice. Otherwise an empty one "
        "becomes field001 (the number of its column), and the second `name` becomes `name_1`.",
    )
    error_policy: Literal["fail", "trim", "both"] = setting(
        default="both",
        help="What to do with a record that has more values than the header: `fail`, `trim` it to "
        "the header, or `both`: output the trimmed record and report the error.",
    )
    charset: str = setting(
        default="auto",
        help="The charset of the stream, such as UTF-8 or windows-1252. `auto`: as the byte order "
        "mark says, or UTF-8.",
    )
    ignore_empty_data: bool = setting(
        default=True,
        help="Skip blank lines, and accept a stream without data. Otherwise a blank line becomes "
        "a document of nulls, and an empty stream fails.",
    )
    preserve_surrounding_spaces: bool = setting(
        default=False,
        help="Keep spaces and tabs around names and values. Otherwise they are removed, unless "
        "they are within quotes.",
    )


class CSVParser(StreamSnap[CSVParserSettings]):
    since = "0.4.0"
    about = """
    All values are strings, unless a stream with types is linked to the view `types`: its first line
    has the names of the columns, its second line their types, each of them `string`, `integer`,
    `float` (an exact decimal) or `boolean`; an empty type is `string`, and an empty value of
    another type is null. A record that has fewer values than the header gets null for the rest. An
    error names the line at which its record begins, and the next record is read.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-csvparser",
        "CSV Parser",
        version=3,
        settings={
            "delimiter": "delimiter",
            "quoteCharacter": "quote_character",
            "escapeChar": "escape_character",
            "skipLines": "skip_lines",
            "containsHeader": "contains_header",
            "columnList[].columns": "columns[]",
            "validateHeaders": "validate_headers",
            "errorPolicy": "error_policy",
            "charset": "charset",
            "ignoreEmptyData": "ignore_empty_data",
            "preserveSurroundingSpaces": "preserve_surrounding_spaces",
        },
        choices={
            "errorPolicy": {
                "Both": "both",
                "Fail if record is larger than header": "fail",
                "Trim record to fit header": "trim",
            },
            "charset": {"Auto BOM detect": "auto"},
            "quoteCharacter": {"": ""},
            "escapeChar": {"": ""},
        },
    )
    views = Views(
        inputs=(
            View("input", "binary", unlinked="refused"),
            View("types", "binary", unlinked="nothing", optional=True, read_first=True),
        )
    )
    stateful = False
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "each record becomes a document; surrounding spaces are removed",
            given=[StreamStart(), b'id, name \n1,Ada\n2,"Grace, Brewster"\n', StreamEnd()],
            expect=[{"id": "1", "name": "Ada"}, {"id": "2", "name": "Grace, Brewster"}],
        ),
        Example(
            "types of the columns",
            given={
                "types": [StreamStart(), b"id,name,price\ninteger,,float\n", StreamEnd()],
                "input": [StreamStart(), b"id,name,price\n1,tea,2.50\n", StreamEnd()],
            },
            expect=[{"id": 1, "name": "tea", "price": Decimal("2.50")}],
        ),
        Example(
            "no header",
            settings={"contains_header": False},
            given=[StreamStart(), b"1,Ada\n2,Grace\n", StreamEnd()],
            expect=[
                {"field001": "1", "field002": "Ada"},
                {"field001": "2", "field002": "Grace"},
            ],
        ),
        Example(
            "a record with too many values",
            settings={"error_policy": "fail"},
            on_error="discard",
            given=[StreamStart(), b"id\n1\n2,extra\n3\n", StreamEnd()],
            expect=[{"id": "1"}, {"id": "3"}],
        ),
    )

    @classmethod
    def check(cls, settings: CSVParserSettings) -> Iterable[Issue]:
        yield from check_characters(
            delimiter=settings.delimiter,
            quote_character=settings.quote_character,
            escape_character=settings.escape_character,
        )
        yield from check_charset(settings.charset)
        if settings.validate_headers and not settings.contains_header:
            yield Issue(
                ("validate_headers",),
                "validate_headers has no effect without a header",
                "set contains_header to true, or remove it",
                severity="warning",
            )

    @classmethod
    def steps(cls, settings: CSVParserSettings) -> tuple[Step, ...]:
        return (DecodeRows(),)

    def open(self) -> None:
        settings = self.settings
        self._ahead: list[Row] | None = None
        self._broken_ahead: DataError | None = None
        self._dialect = CsvDialect(
            character(self.context, "delimiter", settings.delimiter),
            character(self.context, "quote_character", settings.quote_character),
            character(self.context, "escape_character", settings.escape_character),
            not settings.preserve_surrounding_spaces,
        )
        self._skips = self.context.value(settings.skip_lines, {})
        self._types: dict[str, Conversion] = {}
        self._names_of_types: list[str] = []
        self._types_read: list[bytes] = []

    def process_batch(self, view: str, batch: Batch) -> Emission:
        if view == "types":
            self._read_types(batch)
            return None
        return super().process_batch(view, batch)

    def begin(self, header: Header) -> tuple[()]:
        settings = self.settings
        self._ahead = self._broken_ahead = None
        self._text = TextStream(settings.charset)
        self._reader = CsvRows(self._dialect)
        self._to_skip = self._skips
        self._skipped = ""
        self._is_empty = True
        self._columns: CsvColumns | None = None
        if not settings.contains_header:
            names = settings.columns or self._names_of_types
            self._columns = CsvColumns(names_in(list(names)), self._types)
        return ()

    @property
    def columns(self) -> Sequence[str]:
        return () if self._columns is None else self._columns.names

    def rows(self, chunk: bytes) -> Iterator[list[Row] | None]:
        """See RowSource. What `feed` would read of the chunk, in parts that stay in the cache."""
        try:
            text = self._without_skipped(self._text.decode(chunk))
        except DataError as error:
            self._broken_ahead = error
            yield None
            return
        for start in range(0, len(text), _PART):
            self._ahead = rows = self._reader.feed(text[start : start + _PART])
            columns = self._columns
            is_regular = columns is not None and columns.are_usual(rows)
            yield rows if is_regular and not self._reader.error else None

    def rows_taken(self, count: int) -> None:
        self._ahead = None
        if count:
            self._is_empty = False
            self._answered = True

    def feed(self, chunk: bytes) -> Iterable[Document]:
        if self._broken_ahead is not None:
            error, self._broken_ahead = self._broken_ahead, None
            raise error
        if self._ahead is not None:
            rows, self._ahead = self._ahead, None
            return self._documents(rows)
        return self._documents(self._reader.feed(self._without_skipped(self._text.decode(chunk))))

    def end(self) -> Iterator[Document]:
        text = self._without_skipped(self._text.decode(b"", final=True), final=True)
        yield from self._documents(self._reader.feed(text))
        yield from self._documents(self._reader.end())
        if self._is_empty and not self.settings.ignore_empty_data:
            raise DataError(
                "the stream has no CSV data",
                "it is empty",
                "set ignore_empty_data to true to accept empty streams",
            )

    def _without_skipped(self, text: str, *, final: bool = False) -> str:
        """The text without the lines to leave out."""
        if self._to_skip <= 0:
            return text
        lines = list(StringIO(self._skipped + text, newline=""))
        count = min(self._to_skip, len(lines) if final else max(len(lines) - 1, 0))
        self._to_skip -= count
        self._reader.skip_lines(count)
        rest = "".join(lines[count:])
        if self._to_skip > 0:
            rest, self._skipped = "", rest
        return rest

    def _documents(self, rows: list[Row]) -> Iterable[Document]:
        """The documents of the rows, in one go if all rows are regular."""
        columns = self._columns
        if columns is not None and not self._reader.error:
            documents = columns.documents(rows)
            if documents is not None:
                self._is_empty = self._is_empty and not documents
                return documents
        return self._one_by_one(rows)

    def _one_by_one(self, rows: list[Row]) -> Iterator[Document]:
        for index, row in enumerate(rows):
            if self._columns is None:
                if row:
                    self._columns = self._columns_of(row)
                continue
            if self._is_blank(row):
                if not self.settings.ignore_empty_data:
                    yield self._columns.document([])
                continue
            self._is_empty = False
            if self._names_columns:
                self._columns.extend(len(row))
            yield from self._document(self._columns, index, row)
        if self._reader.error:
            raise DataError(
                f"cannot parse the record at line {self._reader.error_line}",
                self._reader.error,
                "close the quote, or set quote_character to another character or to ''",
            )

    def _columns_of(self, header: Row) -> CsvColumns:
        settings = self.settings
        names = names_in(header, validate=settings.validate_headers)
        return CsvColumns([*settings.columns, *names[len(settings.columns) :]], self._types)

    def _is_blank(self, row: Row) -> bool:
        return not row or (len(row) == 1 and not row[0].strip() and self._has_many_columns)

    @property
    def _has_many_columns(self) -> bool:
        return self._columns is not None and len(self._columns.names) > 1

    @property
    def _names_columns(self) -> bool:
        """Whether columns get names as values for them come."""
        given = self.settings.columns or self._names_of_types
        return not self.settings.contains_header and not given

    def _document(self, columns: CsvColumns, index: int, row: Row) -> Iterator[Document]:
        policy = self.settings.error_policy
        is_long = len(row) > len(columns.names)
        if not is_long or policy != "fail":
            try:
                yield columns.document(row)
            except DataError as error:
                line = self._reader.line_of(index)
                self.report(
                    DataError(f"line {line}: {error.error}", error.reason, error.resolution)
                )
                return
        if is_long and policy != "trim":
            self.report(
                DataError(
                    f"cannot parse the record at line {self._reader.line_of(index)}",
                    f"it has {len(row)} values, but the header has {len(columns.names)} columns: "
                    f"{excerpt(row, 200)}",
                    "correct the record, or set error_policy to trim",
                )
            )

    def _read_types(self, batch: Batch) -> None:
        """Collect the second stream, and take the types from it when it is complete."""
        for piece in batch.items:
            if piece.__class__ is bytes:
                self._types_read.append(piece)
            elif piece.__class__ is StreamEnd and not piece.broken:
                text = TextStream(self.settings.charset).decode(
                    b"".join(self._types_read), final=True
                )
                self._types_read = []
                reader = CsvRows(self._dialect)
                rows = [*reader.feed(text), *reader.end()]
                try:
                    self._types = column_types(rows)
                except DataError as error:
                    raise ExecutionError(str(error), error.resolution) from None
                self._names_of_types = rows[0]
