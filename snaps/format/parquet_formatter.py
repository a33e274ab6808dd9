"""Write documents as a Parquet file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import RawIOBase
from typing import Any, Literal

from engine.sdk import (
    Batch,
    DataError,
    Emission,
    Example,
    Foreign,
    Issue,
    Item,
    Settings,
    Snap,
    StreamEnd,
    StreamStart,
    View,
    Views,
    setting,
)
from snaps.format.shared.parquet_rows import schema_of, table_of
from snaps.format.shared.parquet_schema import SchemaError, parse_schema
from snaps.shared.extras import library


class ParquetFormatterSettings(Settings):
    schema: str = setting(
        default="",
        help="The schema, as Parquet writes it: `message document { optional int64 id; }`. If "
        "empty, it follows from the first documents, and decimals become doubles.",
        example="message document { required int64 id; optional binary name (STRING); }",
    )
    compression: Literal["none", "snappy", "gzip", "zstd"] = setting(
        default="snappy", help="How columns are compressed."
    )
    ignore_empty_stream: bool = setting(
        default=False,
        help="Write nothing if there are no documents; otherwise a file without rows.",
    )


class ParquetFormatter(Snap[ParquetFormatterSettings]):
    since = "0.4.0"
    about = """
    All documents become one file, in groups of up to 10,000 rows. Without a schema the columns are
    the fields of the first group. Fields that the schema does not have are left out, and missing
    ones become null. A document whose values do not match the schema fails alone. Install it with
    `pip install 'snapline[parquet]'`.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-hadoop-parquetwritingformatter",
        "Parquet Formatter",
        settings={
            "schema": "schema",
            "compression": "compression",
            "ignoreEmptyStream": "ignore_empty_stream",
        },
    )
    views = Views(outputs=(View("output", "binary"),))
    loses_lineage = "puts all documents into one file"
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
    def check(cls, settings: ParquetFormatterSettings) -> Iterable[Issue]:
        if settings.schema:
            try:
                parse_schema(settings.schema)
            except SchemaError as error:
                yield Issue(("schema",), str(error), "write: message NAME { optional int64 a; }")

    def open(self) -> None:
        self._arrow = library("pyarrow", extra="parquet", snap="ParquetFormatter")
        self._parquet = library("pyarrow.parquet", extra="parquet", snap="ParquetFormatter")
        text = self.settings.schema
        self._schema = parse_schema(text).to_arrow(self._arrow) if text else None
        self._sink = _Sink()
        self._writer: Any = None
        self._waiting = Batch([])

    def process_batch(self, view: str, batch: Batch) -> Emission:
        self._waiting = self._waiting.followed_by(batch)
        if len(self._waiting) < _GROUP:
            return None
        self._write_group()
        return Batch(self._pieces())

    def finish(self) -> Iterator[Batch]:
        if self._waiting.items:
            self._write_group()
        if self._writer is None:
            if self.settings.ignore_empty_stream:
                return
            self._begin()
        self._writer.close()
        yield Batch([*self._pieces(), StreamEnd()])

    def _write_group(self) -> None:
        batch, self._waiting = self._waiting, Batch([])
        if self._schema is None:
            self._schema = schema_of(self._arrow, batch.items)
        tables = list(self._tables(batch))
        if tables:
            self._begin()
            self._writer.write_table(self._arrow.concat_tables(tables))

    def _tables(self, batch: Batch) -> Iterator[Any]:
        """The rows of the documents that the schema allows, found by halving."""
        try:
            is_exact = bool(self.settings.schema)
            yield table_of(self._arrow, batch.items, self._schema, is_exact=is_exact)
        except DataError as error:
            if len(batch) == 1:
                self.context.failed(error, batch.items[0], batch.lineage_of(0))
                return
            middle = len(batch) // 2
            yield from self._tables(batch.at(range(middle)))
            yield from self._tables(batch.at(range(middle, len(batch))))

    def _begin(self) -> None:
        if self._writer is None:
            schema = self._schema if self._schema is not None else self._arrow.schema([])
            self._writer = self._parquet.ParquetWriter(
                self._sink, schema, compression=self.settings.compression
            )

    def _pieces(self) -> list[Item]:
        """What has been written since."""
        pieces: list[Item] = list(self._sink.take())
        if pieces and not self._sink.has_begun:
            self._sink.has_begun = True
            pieces.insert(0, StreamStart({"content-type": "application/vnd.apache.parquet"}))
        return pieces


_GROUP = 10_000


class _Sink(RawIOBase):
    """A file that is only written, and whose bytes are taken while it is."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._size = 0
        self.has_begun = False

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        chunk = bytes(data)
        self._chunks.append(chunk)
        self._size += len(chunk)
        return len(chunk)

    def tell(self) -> int:
        return self._size

    def take(self) -> list[bytes]:
        chunks, self._chunks = self._chunks, []
        return [data] if (data := b"".join(chunks)) else []
