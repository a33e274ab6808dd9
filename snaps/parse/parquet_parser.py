"""Turn a Parquet file into documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from engine.sdk import (
    DataError,
    Document,
    Example,
    Foreign,
    Settings,
    StreamEnd,
    StreamStart,
    View,
    Views,
    setting,
)
from snaps.parse.shared.library_values import document_value
from snaps.parse.shared.stored_stream import StoredStreamSnap
from snaps.shared.extras import library


class ParquetParserSettings(Settings):
    columns: tuple[str, ...] = setting(
        default=(), help="The columns to read; all if empty.", example=["id", "price"]
    )


class ParquetParser(StoredStreamSnap[ParquetParserSettings]):
    kind = "Parquet"
    magic = b"PAR1"
    since = "0.4.0"
    about = """
    Each row becomes a document. Decimals, dates and date-times keep their types, floats become
    decimals, and values that are not numbers (NaN) null. The file is stored until it is complete,
    and then read in batches of rows. Install it with `pip install 'snapline[parquet]'`.
    """
    foreign = Foreign("com-snaplogic-snaps-hadoop-parquetreadingparser", "Parquet Parser")
    views = Views(inputs=(View("input", "binary", unlinked="refused"),))
    stateful = False
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "what is not Parquet fails",
            on_error="discard",
            given=[StreamStart(), b"id,name\n1,Ada\n", StreamEnd()],
            expect=[],
        ),
    )

    def open(self) -> None:
        self._parquet = library("pyarrow.parquet", extra="parquet", snap="ParquetParser")

    def documents(self, file: IO[bytes]) -> Iterator[Document]:
        table = self._parquet.ParquetFile(file)
        names = table.schema_arrow.names
        columns = list(self.settings.columns) or names
        if missing := [name for name in columns if name not in names]:
            raise DataError(
                f"the Parquet file has no column {missing[0]!r}",
                f"its columns are: {', '.join(names)}",
                "correct the setting columns",
            )
        for batch in table.iter_batches(batch_size=_ROWS, columns=columns):
            yield from map(document_value, batch.to_pylist())


_ROWS = 1024
