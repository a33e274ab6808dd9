"""Sort orders by price, in 16 MiB of memory."""

from __future__ import annotations

import heapq
import pickle
import tempfile
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter, itemgetter
from typing import IO, Any

import msgspec
import orjson

from benchmarks.case import Case
from benchmarks.documents import order

SNAPS = """\
  sort: {snap: Sort, sort_paths: [$price], memory: 16 MiB}
"""
LINKS = """\
  - parse -> sort -> format
"""
DUCKDB = "SELECT * FROM documents ORDER BY price, id"
POLARS = '.sort("price", maintain_order=True)'

RUN = 15_000
"""Orders in a run: about 16 MiB."""


def external(
    documents: Iterable[Any], key: Callable[[Any], Any], dump: Callable[[Any, IO[bytes]], None]
) -> Iterator[Any]:
    """Documents in order: sorted runs in temporary files, merged by `heapq`."""
    runs: list[IO[bytes]] = []
    rows: list[Any] = []

    def end_run() -> None:
        rows.sort(key=key)
        run = tempfile.TemporaryFile()  # noqa: SIM115
        for row in rows:
            dump(row, run)
        run.seek(0)
        runs.append(run)
        rows.clear()

    for document in documents:
        rows.append(document)
        if len(rows) >= RUN:
            end_run()
    end_run()
    return heapq.merge(*map(_rows, runs), key=key)


def _rows(run: IO[bytes]) -> Iterator[Any]:
    with run:
        while True:
            try:
                yield pickle.load(run)
            except EOFError:
                return


def _dump(row: Any, run: IO[bytes]) -> None:
    pickle.dump(row, run, pickle.HIGHEST_PROTOCOL)


def by_orjson(lines: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    for row in external(map(orjson.loads, lines), itemgetter("price"), _dump):
        write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


class Priced(msgspec.Struct, gc=False):
    price: float


class Line(msgspec.Struct, gc=False):
    price: float
    text: bytes


def by_msgspec(lines: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    """Writes the lines themselves, which is right as long as the input has no spaces."""
    decode = msgspec.json.Decoder(Priced).decode
    rows = (Line(decode(line).price, line) for line in lines)
    for row in external(rows, attrgetter("price"), _dump):
        write(row.text)


CASE = Case(
    title="sort, beyond the memory",
    wanted=0.4,
    generator=order,
    snaps=SNAPS,
    links=LINKS,
    by_orjson=by_orjson,
    by_msgspec=by_msgspec,
    duckdb=DUCKDB,
    polars=POLARS,
    documents=500_000,
)
