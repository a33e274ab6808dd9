"""Keep half of the 2 KB records, unchanged."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
import orjson

from benchmarks.case import Case
from benchmarks.documents import record

SNAPS = """\
  keep: {snap: Filter, filter: $status == 'open'}
"""
LINKS = """\
  - parse -> keep -> format
"""
DUCKDB = "SELECT * FROM documents WHERE status = 'open'"
POLARS = '.filter(pl.col("status") == "open")'
JQ = 'select(.status == "open")'


def by_orjson(lines: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    for line in lines:
        record = orjson.loads(line)
        if record["status"] == "open":
            write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))


class Record(msgspec.Struct, gc=False):
    status: str


def by_msgspec(lines: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    """Writes the line itself, which is right as long as the input has no spaces."""
    decode = msgspec.json.Decoder(Record).decode
    for line in lines:
        if decode(line).status == "open":
            write(line)


CASE = Case(
    title="filter only, the same 2 KB documents",
    wanted=2.0,
    generator=record,
    documents=200_000,
    snaps=SNAPS,
    links=LINKS,
    by_orjson=by_orjson,
    by_msgspec=by_msgspec,
    duckdb=DUCKDB,
    polars=POLARS,
    jq=JQ,
)
