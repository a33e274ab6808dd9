"""Keep half of the 2 KB records, and few of their 70 fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec
import orjson

from benchmarks import documents
from benchmarks.case import Case
from benchmarks.msgspec_loops import Number, loop_over

SNAPS = """\
  keep: {snap: Filter, filter: $status == 'open'}
  shape:
    snap: Mapper
    mappings:
      $id: $id
      $name: $customer.name
      $amount: $amount
      $first: $lines[0].sku
      $note: "$attribute_08 + ' ' + $attribute_09"
"""
LINKS = """\
  - parse -> keep -> shape -> format
"""
DUCKDB = """
SELECT id, customer.name AS name, amount, lines[1].sku AS first,
    attribute_08 || ' ' || attribute_09 AS note
FROM documents WHERE status = 'open'
"""
POLARS = """
.filter(pl.col("status") == "open")
.select(
    "id",
    pl.col("customer").struct.field("name"),
    "amount",
    first=pl.col("lines").list.get(0).struct.field("sku"),
    note=pl.format("{} {}", "attribute_08", "attribute_09"),
)
"""
JQ = """
select(.status == "open")
| {id, name: .customer.name, amount, first: .lines[0].sku,
   note: "\\(.attribute_08) \\(.attribute_09)"}
"""


def by_orjson(lines: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    for line in lines:
        record = orjson.loads(line)
        if record["status"] == "open":
            shaped = {
                "id": record["id"],
                "name": record["customer"]["name"],
                "amount": record["amount"],
                "first": record["lines"][0]["sku"],
                "note": f"{record['attribute_08']} {record['attribute_09']}",
            }
            write(orjson.dumps(shaped, option=orjson.OPT_APPEND_NEWLINE))


class Customer(msgspec.Struct, gc=False):
    name: str


class Line(msgspec.Struct, gc=False):
    sku: str


class Record(msgspec.Struct, gc=False):
    id: int
    status: str
    amount: float
    customer: Customer
    lines: list[Line]
    attribute_08: str
    attribute_09: int


class Shaped(msgspec.Struct, gc=False):
    id: int
    name: str
    amount: float
    first: str
    note: str


def shaping(records: Iterable[Record], number: Number) -> Iterator[Shaped]:
    for record in records:
        if record.status == "open":
            yield Shaped(
                record.id,
                record.customer.name,
                record.amount,
                record.lines[0].sku,
                f"{record.attribute_08} {record.attribute_09}",
            )


CASE = Case(
    title="few fields of 2 KB documents",
    wanted=3.0,
    generator=documents.record,
    documents=200_000,
    snaps=SNAPS,
    links=LINKS,
    by_orjson=by_orjson,
    by_msgspec=loop_over(Record, shaping),
    duckdb=DUCKDB,
    polars=POLARS,
    jq=JQ,
)
