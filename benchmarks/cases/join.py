"""Join orders with a table of cities."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import orjson

from benchmarks.case import Case
from benchmarks.documents import CITIES, order

TABLE = [
    {"city": city, "region": f"region {number % 3}", "price": number}
    for number, city in enumerate(CITIES)
]
SNAPS = f"""\
  cities: {{snap: JSONGenerator, documents: {json.dumps(TABLE)}}}
  join:
    snap: Join
    join_paths: [{{left_path: $customer.address.city, right_path: $city}}]
"""
LINKS = """\
  - parse -> join.orders
  - cities -> join.cities
  - join -> format
"""


def by_orjson(lines: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    table: dict[str, list[dict[str, Any]]] = {}
    for city in TABLE:
        table.setdefault(str(city["city"]), []).append(city)
    for line in lines:
        order = orjson.loads(line)
        for city in table.get(order["customer"]["address"]["city"], ()):
            merged = dict(order)
            for name, value in city.items():
                merged[f"cities_{name}" if name in order else name] = value
            write(orjson.dumps(merged, option=orjson.OPT_APPEND_NEWLINE))


class Address(msgspec.Struct, gc=False):
    city: str
    zip: str


class Customer(msgspec.Struct, gc=False):
    name: str
    address: Address


class Order(msgspec.Struct, gc=False):
    id: int
    token: str
    created: str
    price: float
    quantity: int
    discount: float
    shipping: float
    customer: Customer


class Joined(Order, gc=False):
    city: str
    region: str
    cities_price: int


def by_msgspec(lines: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    decode = msgspec.json.Decoder(Order).decode
    encode = msgspec.json.Encoder().encode
    table = {str(city["city"]): city for city in TABLE}
    for line in lines:
        order = decode(line)
        city = table.get(order.customer.address.city)
        if city is not None:
            own = (
                order.id, order.token, order.created, order.price, order.quantity,
                order.discount, order.shipping, order.customer,
            )  # fmt: skip
            write(encode(Joined(*own, *city.values())) + b"\n")  # type: ignore[arg-type]


CASE = Case(
    title="join with a table",
    wanted=0.5,
    generator=order,
    snaps=SNAPS,
    links=LINKS,
    by_orjson=by_orjson,
    by_msgspec=by_msgspec,
)
