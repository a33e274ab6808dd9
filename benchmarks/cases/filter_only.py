"""Keep half of the orders, unchanged."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
import orjson

from benchmarks.case import Case
from benchmarks.documents import order

SNAPS = """\
  keep: {snap: Filter, filter: $token == 'secret' && $quantity > 5}
"""
LINKS = """\
  - parse -> keep -> format
"""
DUCKDB = "SELECT * FROM documents WHERE token = 'secret' AND quantity > 5"
POLARS = '.filter((pl.col("token") == "secret") & (pl.col("quantity") > 5))'
JQ = 'select(.token == "secret" and .quantity > 5)'


def by_orjson(lines: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    for line in lines:
        order = orjson.loads(line)
        if order["token"] == "secret" and order["quantity"] > 5:
            write(orjson.dumps(order, option=orjson.OPT_APPEND_NEWLINE))


class Order(msgspec.Struct, gc=False):
    token: str
    quantity: int


def by_msgspec(lines: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    """Writes the line itself, which is right as long as the input has no spaces."""
    decode = msgspec.json.Decoder(Order).decode
    for line in lines:
        order = decode(line)
        if order.token == "secret" and order.quantity > 5:
            write(line)


CASE = Case(
    title="filter only",
    wanted=2.0,
    generator=order,
    snaps=SNAPS,
    links=LINKS,
    by_orjson=by_orjson,
    by_msgspec=by_msgspec,
    duckdb=DUCKDB,
    polars=POLARS,
    jq=JQ,
)
