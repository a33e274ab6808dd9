"""Write documents as CSV: a header line and one record for each document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from operator import itemgetter
from typing import Any, Literal

from engine.sdk import (
    Batch,
    CharsetError,
    DataError,
    Document,
    Emission,
    EncodeRows,
    Evaluated,
    Example,
    Expression,
    Foreign,
    Header,
    Issue,
    Item,
    Settings,
    Snap,
    Step,
    StreamEnd,
    StreamStart,
    TargetPath,
    View,
    Views,
    codec_of,
    encoded,
    setting,
)
from snaps.format.shared.csv_writer import CsvStyle, CsvWriter
from snaps.format.shared.in_parts import written_in_parts
from snaps.shared.csv_settings import character, check_characters


class CSVFormatterSettings(Settings):
    delimiter: Evaluated[str] = setting(
        default=Evaluated(","),
        help="The character between values; `\\t` is a tab.",
        example="\\t",
    )
    quote_character: Evaluated[str] = setting(
        default=Evaluated('"'),
        help="The character around values; within them it is doubled. Empty: values are never "
        "quoted.",
    )
    quote_mode: Literal["all", "minimal", "non_numeric", "none"] = setting(
        default="all",
        help="Which values are quoted: `all` (the header and numbers too), only those that need it "
        "(`minimal`), all but numbers (`non_numeric`), or `none`.",
    )
    escape_character: Evaluated[str] = setting(
        default=Evaluated("\\"),
        help="Written before a special character where nothing is quoted, and doubled where a "
        "reader would misunderstand it. Empty: there is none.",
    )
    newline_character: Literal["lf", "crlf", "cr"] = setting(
        default="lf", help="The end of each line."
    )
    charset: str = setting(default="UTF-8", help="The charset of the stream.")
    write_header: bool = setting(default=True, help="Write the names of the columns first.")
    write_bom: bool = setting(
        default=False, help="Begin with a byte order mark, if the charset is a Unicode one."
    )
    columns: tuple[str, ...] = setting(
        default=(),
        help="The fields to write, in this order; otherwise those of the first document.",
        example=["id", "name"],
    )
    ignore_empty_stream: bool = setting(
        default=False,
        help="Write nothing if there are no documents; otherwise an empty stream, or the header if "
        "`columns` are given.",
    )
    header: dict[TargetPath, Expression] = setting(
        default={},
        help="Further fields of the stream's header: target path to expression, evaluated on the "
        "first document.",
        example={"$['content-location']": "$name + '.csv'"},
    )


class CSVFormatter(Snap[CSVFormatterSettings]):
    since = "0.4.0"
    about = """
    All documents become one stream. The columns are the fields of the first document: fields that
    only later documents have are left out, and a missing field becomes an empty value, as null
    does. Booleans are written as true and false, lists and maps as JSON, numbers with their scale.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-csvformatter",
        "CSV Formatter",
        version=3,
        settings={
            "delimiter": "delimiter",
            "quoteCharacter": "quote_character",
            "quoteMode": "quote_mode",
            "escapeChar": "escape_character",
            "newlineCharacter": "newline_character",
            "charset": "charset",
            "writeHeader": "write_header",
            "writeBOM": "write_bom",
            "userDefinedHeader[].userDefinedHeader": "columns[]",
            "ignoreEmptyStream": "ignore_empty_stream",
            "outputHeader[].targetPath": "header[].key",
            "outputHeader[].expression": "header[].value",
        },
        choices={
            "quoteMode": {
                "ALL": "all",
                "MINIMAL": "minimal",
                "NON_NUMERIC": "non_numeric",
                "NONE": "none",
            },
            "newlineCharacter": {
                "LF": "lf",
                "CRLF": "crlf",
                "CR LF": "crlf",
                "CR": "cr",
                "\n": "lf",
                "\r\n": "crlf",
                "\\n": "lf",
                "\\r\\n": "crlf",
            },
            "quoteCharacter": {"": ""},
            "escapeChar": {"": ""},
        },
        defaults={"errorPolicy": "Default"},
        ignored=("useDefinedHeader",),
        unsupported={"errorPolicy": "an error for documents with other fields"},
    )
    views = Views(outputs=(View("output", "binary"),))
    loses_lineage = "puts all documents into one stream"
    single = True
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "everything is quoted",
            given=[{"id": 1, "name": 'the "first"'}, {"id": 2, "name": None}],
            expect=[
                StreamStart({"content-type": "text/csv; charset=UTF-8"}),
                b'"id","name"\n"1","the ""first"""\n"2",""\n',
                StreamEnd(),
            ],
        ),
        Example(
            "only what needs quotes has them",
            settings={"quote_mode": "minimal"},
            given=[{"id": 1, "price": Decimal("2.50"), "tags": ["a", "b"], "note": "a, b"}],
            expect=[
                StreamStart({"content-type": "text/csv; charset=UTF-8"}),
                b'id,price,tags,note\n1,2.50,"[""a"",""b""]","a, b"\n',
                StreamEnd(),
            ],
        ),
        Example(
            "given columns, separated by semicolons",
            settings={"columns": ["b", "a"], "delimiter": ";", "quote_mode": "minimal"},
            given=[{"a": 1, "b": 2, "c": 3}, {"a": 4}],
            expect=[
                StreamStart({"content-type": "text/csv; charset=UTF-8"}),
                b"b;a\n2;1\n;4\n",
                StreamEnd(),
            ],
        ),
    )

    @classmethod
    def check(cls, settings: CSVFormatterSettings) -> Iterable[Issue]:
        yield from check_characters(
            delimiter=settings.delimiter,
            quote_character=settings.quote_character,
            escape_character=settings.escape_character,
        )
        if codec_of(settings.charset) is None:
            yield Issue(
                ("charset",),
                f"the charset {settings.charset!r} is not known",
                "write one such as UTF-8, UTF-16, windows-1252 or ISO-8859-1",
            )
        if len(set(settings.columns)) < len(settings.columns):
            yield Issue(("columns",), "a column is named twice", "remove one of them")

    @classmethod
    def steps(cls, settings: CSVFormatterSettings) -> tuple[Step, ...]:
        return (EncodeRows(),)

    def open(self) -> None:
        settings = self.settings
        quote = character(self.context, "quote_character", settings.quote_character)
        self._writer = CsvWriter(
            CsvStyle(
                character(self.context, "delimiter", settings.delimiter),
                quote,
                character(self.context, "escape_character", settings.escape_character),
                settings.quote_mode if quote else "none",
                _NEWLINES[settings.newline_character],
            )
        )
        self._columns = list(settings.columns)
        self._begun = False
        rows = [(path.text, item) for path, item in settings.header.items()]
        self._fields = self.context.mapping(rows) if rows else None

    def process_batch(self, view: str, batch: Batch) -> Emission:
        try:
            return self._written(batch)
        except DataError as error:
            return written_in_parts(self.context, self.default_output, self._written, batch, error)

    def text_of(self, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes | None:
        """See RowSink. The first document begins the stream."""
        own = self._columns
        if not self._begun:
            return None
        if own != columns:
            if not set(own) <= set(columns):
                return None
            places = [columns.index(column) for column in own]
            rows = [[row[place] for place in places] for row in rows]
        return self._encoded(self._writer.text_of(rows, own))

    def finish(self) -> Iterable[Item]:
        if not self._begun:
            if self.settings.ignore_empty_stream:
                return
            yield StreamStart(self._plain_header())
            if self._columns and (head := self._head(self._columns)):
                yield head
        yield StreamEnd()

    def _written(self, batch: Batch) -> Batch:
        """The pieces for a batch. If a document cannot be written, raises DataError before doing
        anything."""
        if self._begun:
            return Batch([self._records(self._columns, batch.items)])
        first = batch.items[0]
        columns = self._columns or list(first)
        if not columns:
            raise DataError(
                "cannot write the header",
                "the first document has no fields",
                "set columns, or remove empty documents first, for example with a Filter",
            )
        header = self._plain_header()
        if self._fields is not None:
            header |= self._fields(first)
        body = self._head(columns) + self._records(columns, batch.items)
        self._columns, self._begun = columns, True
        return Batch([StreamStart(header), body])

    def _head(self, columns: list[str]) -> bytes:
        """What precedes the records: the byte order mark and the header."""
        settings = self.settings
        codec = codec_of(settings.charset) or ""
        has_mark = codec in _MARKED or (settings.write_bom and codec.startswith("utf-"))
        text = self._writer.text_of([columns], columns) if settings.write_header else ""
        return self._encoded(_MARK + text if has_mark else text)

    def _records(self, columns: list[str], documents: list[Document]) -> bytes:
        text = self._writer.text_of(_rows(columns, documents), columns)
        try:
            return self._encoded(text)
        except DataError:
            for document in documents:  # which of the values is at fault?
                for column in columns:
                    value = document.get(column)
                    if isinstance(value, str):
                        self._encoded(value, f"the value of {column!r}")
            raise

    def _encoded(self, text: str, subject: str = "the CSV text") -> bytes:
        codec, charset = codec_of(self.settings.charset) or "", self.settings.charset
        try:
            return encoded(text, _MARKED.get(codec, charset), subject)
        except CharsetError as error:
            resolution = "replace the character first, for example with a Mapper"
            if not codec.startswith("utf"):
                resolution = f"set charset to UTF-8, or {resolution}"
            raise DataError("cannot write the document as CSV", str(error), resolution) from None

    def _plain_header(self) -> Header:
        return {"content-type": f"text/csv; charset={self.settings.charset}"}


_NEWLINES = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
_MARK = "\ufeff"
_MARKED = {"utf-16": "utf-16le", "utf-32": "utf-32le"}
"""Charsets that need a byte order mark, written in one order of bytes."""


def _rows(columns: list[str], documents: list[Document]) -> list[Any]:
    """The values of the documents, in the order of the columns."""
    try:
        if len(columns) > 1:
            return list(map(itemgetter(*columns), documents))
    except KeyError:  # a document lacks a field
        pass
    return [[document.get(column) for column in columns] for document in documents]
