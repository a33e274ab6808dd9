"""Seven mappers and three filters in a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec
import orjson

from benchmarks import documents
from benchmarks.case import Case
from benchmarks.cases import filter_and_map
from benchmarks.msgspec_loops import Number, loop_over

SNAPS = """\
  authorised: {snap: Filter, filter: $token == 'secret'}
  amount: {snap: Mapper, pass_through: true, mappings: {$amount: $price * $quantity}}
  not_small: {snap: Filter, filter: $amount > 20}
  net: {snap: Mapper, pass_through: true, mappings: {$net: $amount * (1 - $discount)}}
  name: {snap: Mapper, pass_through: true, mappings: {$customer.name: $customer.name.toUpperCase()}}
  total: {snap: Mapper, pass_through: true, mappings: {$total: $net + $shipping}}
  size:
    snap: Mapper
    pass_through: true
    mappings: {$size: "$total > 250 ? 'large' : 'small'"}
  month: {snap: Mapper, pass_through: true, mappings: {$month: "$created.substring(0, 7)"}}
  wanted: {snap: Filter, filter: $size == 'large' || $quantity > 2}
  shape:
    snap: Mapper
    mappings:
      $id: $id
      $name: $customer.name
      $city: $customer.address.city
      $total: $total
      $size: $size
      $month: $month
"""
LINKS = """\
  - parse -> authorised -> amount -> not_small -> net -> name -> total
  - total -> size -> month -> wanted -> shape -> format
"""
DUCKDB = """
WITH amounts AS (
    SELECT *, price * quantity AS amount FROM documents WHERE token = 'secret'
), totals AS (
    SELECT *, amount * (1 - discount) + shipping AS total FROM amounts WHERE amount > 20
), sizes AS (
    SELECT *, CASE WHEN total > 250 THEN 'large' ELSE 'small' END AS size FROM totals
)
SELECT id, upper(customer.name) AS name, customer.address.city AS city, total, size,
    substr(created, 1, 7) AS month
FROM sizes WHERE size = 'large' OR quantity > 2
"""
POLARS = """
.filter(pl.col("token") == "secret")
.with_columns(amount=pl.col("price") * pl.col("quantity"))
.filter(pl.col("amount") > 20)
.with_columns(total=pl.col("amount") * (1 - pl.col("discount")) + pl.col("shipping"))
.with_columns(
    size=pl.when(pl.col("total") > 250).then(pl.lit("large")).otherwise(pl.lit("small"))
)
.filter((pl.col("size") == "large") | (pl.col("quantity") > 2))
.select(
    "id",
    pl.col("customer").struct.field("name").str.to_uppercase(),
    pl.col("customer").struct.field("address").struct.field("city"),
    "total",
    "size",
    month=pl.col("created").str.slice(0, 7),
)
"""
JQ = """
select(.token == "secret")
| .amount = .price * .quantity | select(.amount > 20)
| .total = .amount * (1 - .discount) + .shipping
| .size = (if .total > 250 then "large" else "small" end)
| select(.size == "large" or .quantity > 2)
| {id, name: (.customer.name | ascii_upcase), city: .customer.address.city, total, size,
   month: .created[0:7]}
"""


def by_orjson(lines: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    for line in lines:
        order = orjson.loads(line)
        if order["token"] != "secret":
            continue
        amount = order["price"] * order["quantity"]
        if amount <= 20:
            continue
        total = amount * (1 - order["discount"]) + order["shipping"]
        size = "large" if total > 250 else "small"
        if size == "large" or order["quantity"] > 2:
            customer = order["customer"]
            shaped = {
                "id": order["id"],
                "name": customer["name"].upper(),
                "city": customer["address"]["city"],
                "total": total,
                "size": size,
                "month": order["created"][:7],
            }
            write(orjson.dumps(shaped, option=orjson.OPT_APPEND_NEWLINE))


class Order(filter_and_map.Order, gc=False):
    created: str


class Shaped(msgspec.Struct, gc=False):
    id: int
    name: str
    city: str
    total: float
    size: str
    month: str


def shaping(orders: Iterable[Order], number: Number) -> Iterator[Shaped]:
    one, least, most = map(number, (1, 20, 250))
    for order in orders:
        if order.token != "secret":
            continue
        amount = order.price * order.quantity
        if amount <= least:
            continue
        total = amount * (one - order.discount) + order.shipping
        size = "large" if total > most else "small"
        if size == "large" or order.quantity > 2:
            customer = order.customer
            yield Shaped(
                order.id,
                customer.name.upper(),
                customer.address.city,
                total,
                size,
                order.created[:7],
            )


CASE = Case(
    title="ten snaps in a row",
    wanted=1.0,
    generator=documents.order,
    snaps=SNAPS,
    links=LINKS,
    by_orjson=by_orjson,
    by_msgspec=loop_over(Order, shaping),
    duckdb=DUCKDB,
    polars=POLARS,
    jq=JQ,
)
