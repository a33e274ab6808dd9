"""Send every order through three filters, and bring what they keep together again."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
import orjson

from benchmarks.case import Case
from benchmarks.documents import order

SNAPS = """\
  copy: {snap: Copy}
  many: {snap: Filter, filter: $quantity > 7}
  dear: {snap: Filter, filter: $price > 70}
  near: {snap: Filter, filter: $customer.address.city == 'Prague'}
  join: {snap: Union}
"""
LINKS = """\
  - parse -> copy
  - copy.output0 -> many -> join
  - copy.output1 -> dear -> join
  - copy.output2 -> near -> join
  - join -> format
"""
DUCKDB = """
SELECT * FROM documents WHERE quantity > 7
UNION ALL SELECT * FROM documents WHERE price > 70
UNION ALL SELECT * FROM documents WHERE customer.address.city = 'Prague'
"""
POLARS = """
.pipe(lambda orders: pl.concat([
    orders.filter(pl.col("quantity") > 7),
    orders.filter(pl.col("price") > 70),
    orders.filter(
        pl.col("customer").struct.field("address").struct.field("city") == "Prague"
    ),
]))
"""
JQ = """
select(.quantity > 7), select(.price > 70), select(.customer.address.city == "Prague")
"""


def by_orjson(lines: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    for line in lines:
        order = orjson.loads(line)
        if order["quantity"] > 7:
            write(orjson.dumps(order, option=orjson.OPT_APPEND_NEWLINE))
        if order["price"] > 70:
            write(orjson.dumps(order, option=orjson.OPT_APPEND_NEWLINE))
        if order["customer"]["address"]["city"] == "Prague":
            write(orjson.dumps(order, option=orjson.OPT_APPEND_NEWLINE))


class Address(msgspec.Struct, gc=False):
    city: str


class Customer(msgspec.Struct, gc=False):
    address: Address


class Order(msgspec.Struct, gc=False):
    price: float
    quantity: int
    customer: Customer


def by_msgspec(lines: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    """Writes the line itself, which is right as long as the input has no spaces."""
    decode = msgspec.json.Decoder(Order).decode
    for line in lines:
        order = decode(line)
        if order.quantity > 7:
            write(line)
        if order.price > 70:
            write(line)
        if order.customer.address.city == "Prague":
            write(line)


CASE = Case(
    title="Copy into three filters, Union",
    wanted=0.6,
    generator=order,
    snaps=SNAPS,
    links=LINKS,
    by_orjson=by_orjson,
    by_msgspec=by_msgspec,
    duckdb=DUCKDB,
    polars=POLARS,
    jq=JQ,
    any_order=True,
)
