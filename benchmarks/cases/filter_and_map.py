"""Keep half of the orders, and compute with decimals and nested paths."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec
import orjson

from benchmarks import documents
from benchmarks.case import Case
from benchmarks.msgspec_loops import Number, loop_over

SNAPS = """\
  keep: {snap: Filter, filter: $token == 'secret' && $quantity > 5}
  shape:
    snap: Mapper
    mappings:
      $id: $id
      $name: $customer.name
      $city: $customer.address.city
      $net: $price * $quantity * (1 - $discount)
      $total: $price * $quantity * (1 - $discount) + $shipping
      $label: "$customer.name + ' #' + $id"
"""
LINKS = """\
  - parse -> keep -> shape -> format
"""
DUCKDB = """
SELECT id, customer.name AS name, customer.address.city AS city,
    price * quantity * (1 - discount) AS net,
    price * quantity * (1 - discount) + shipping AS total,
    customer.name || ' #' || id AS label
FROM documents WHERE token = 'secret' AND quantity > 5
"""
POLARS = """
.filter((pl.col("token") == "secret") & (pl.col("quantity") > 5))
.with_columns(
    name=pl.col("customer").struct.field("name"),
    city=pl.col("customer").struct.field("address").struct.field("city"),
    net=pl.col("price") * pl.col("quantity") * (1 - pl.col("discount")),
)
.select(
    "id", "name", "city", "net",
    total=pl.col("net") + pl.col("shipping"),
    label=pl.format("{} #{}", "name", "id"),
)
"""
JQ = """
select(.token == "secret" and .quantity > 5)
| (.price * .quantity * (1 - .discount)) as $net
| {id, name: .customer.name, city: .customer.address.city, $net, total: ($net + .shipping),
   label: "\\(.customer.name) #\\(.id)"}
"""


def by_orjson(lines: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    for line in lines:
        order = orjson.loads(line)
        if order["token"] == "secret" and order["quantity"] > 5:
            customer = order["customer"]
            net = order["price"] * order["quantity"] * (1 - order["discount"])
            shaped = {
                "id": order["id"],
                "name": customer["name"],
                "city": customer["address"]["city"],
                "net": net,
                "total": net + order["shipping"],
                "label": f"{customer['name']} #{order['id']}",
            }
            write(orjson.dumps(shaped, option=orjson.OPT_APPEND_NEWLINE))


class Address(msgspec.Struct, gc=False):
    city: str


class Customer(msgspec.Struct, gc=False):
    name: str
    address: Address


class Order(msgspec.Struct, gc=False):
    id: int
    token: str
    price: float
    quantity: int
    discount: float
    shipping: float
    customer: Customer


class Shaped(msgspec.Struct, gc=False):
    id: int
    name: str
    city: str
    net: float
    total: float
    label: str


def shaping(orders: Iterable[Order], number: Number) -> Iterator[Shaped]:
    one = number(1)
    for order in orders:
        if order.token == "secret" and order.quantity > 5:
            customer = order.customer
            net = order.price * order.quantity * (one - order.discount)
            yield Shaped(
                order.id,
                customer.name,
                customer.address.city,
                net,
                net + order.shipping,
                f"{customer.name} #{order.id}",
            )


CASE = Case(
    title="filter and map: nested paths, decimal arithmetic",
    wanted=1.4,
    generator=documents.order,
    snaps=SNAPS,
    links=LINKS,
    by_orjson=by_orjson,
    by_msgspec=loop_over(Order, shaping),
    duckdb=DUCKDB,
    polars=POLARS,
    jq=JQ,
)
