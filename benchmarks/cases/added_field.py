"""Pass every order on, with one more field."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
import orjson

from benchmarks.case import Case
from benchmarks.documents import order

SNAPS = """\
  add:
    snap: Mapper
    pass_through: true
    mappings:
      $amount: $price * $quantity
"""
LINKS = """\
  - parse -> add -> format
"""
DUCKDB = "SELECT *, price * quantity AS amount FROM documents"
POLARS = '.with_columns(amount=pl.col("price") * pl.col("quantity"))'
JQ = ".amount = .price * .quantity"


def by_orjson(lines: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    for line in lines:
        order = orjson.loads(line)
        order["amount"] = order["price"] * order["quantity"]
        write(orjson.dumps(order, option=orjson.OPT_APPEND_NEWLINE))


class Order(msgspec.Struct, gc=False):
    """`amount` is absent from the input; what is not computed with stays as it is."""

    id: int
    token: str
    created: str
    price: float
    quantity: int
    discount: float
    shipping: float
    customer: msgspec.Raw
    amount: float = 0.0


def by_msgspec(lines: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    decode = msgspec.json.Decoder(Order).decode
    encode = msgspec.json.Encoder().encode
    for line in lines:
        order = decode(line)
        order.amount = order.price * order.quantity
        write(encode(order) + b"\n")


CASE = Case(
    title="a mapper that passes through and adds a field",
    wanted=1.2,
    generator=order,
    snaps=SNAPS,
    links=LINKS,
    by_orjson=by_orjson,
    by_msgspec=by_msgspec,
    duckdb=DUCKDB,
    polars=POLARS,
    jq=JQ,
)
