"""Count and add up orders by city and quantity."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import orjson

from benchmarks.case import Case
from benchmarks.documents import order

SNAPS = """\
  group:
    snap: Aggregate
    group_by_fields:
      - {field: $customer.address.city, output_field: city}
      - {field: $quantity, output_field: quantity}
    aggregate_fields:
      - {function: count, field: $id, result_field: orders}
      - {function: sum, field: $quantity, result_field: total}
      - {function: max, field: $created, result_field: latest}
"""
LINKS = """\
  - parse -> group -> format
"""
DUCKDB = """
SELECT customer.address.city AS city, quantity, count(*) AS orders, sum(quantity) AS total,
    max(created) AS latest
FROM documents GROUP BY ALL ORDER BY min(id)
"""


def by_orjson(lines: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    groups: dict[tuple[str, int], list[Any]] = {}
    for line in lines:
        order = orjson.loads(line)
        key = order["customer"]["address"]["city"], order["quantity"]
        group = groups.get(key)
        if group is None:
            groups[key] = [1, order["quantity"], order["created"]]
        else:
            group[0] += 1
            group[1] += order["quantity"]
            if order["created"] > group[2]:
                group[2] = order["created"]
    for (city, quantity), (count, total, latest) in groups.items():
        row = {
            "city": city,
            "quantity": quantity,
            "orders": count,
            "total": total,
            "latest": latest,
        }
        write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


class Address(msgspec.Struct, gc=False):
    city: str


class Customer(msgspec.Struct, gc=False):
    address: Address


class Order(msgspec.Struct, gc=False):
    quantity: int
    created: str
    customer: Customer


def by_msgspec(lines: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    decode = msgspec.json.Decoder(Order).decode
    encode = msgspec.json.Encoder().encode
    groups: dict[tuple[str, int], list[Any]] = {}
    for line in lines:
        order = decode(line)
        key = order.customer.address.city, order.quantity
        group = groups.get(key)
        if group is None:
            groups[key] = [1, order.quantity, order.created]
        else:
            group[0] += 1
            group[1] += order.quantity
            if order.created > group[2]:
                group[2] = order.created
    for (city, quantity), (count, total, latest) in groups.items():
        row = {
            "city": city,
            "quantity": quantity,
            "orders": count,
            "total": total,
            "latest": latest,
        }
        write(encode(row) + b"\n")


CASE = Case(
    title="aggregate by two fields",
    wanted=0.5,
    generator=order,
    snaps=SNAPS,
    links=LINKS,
    by_orjson=by_orjson,
    by_msgspec=by_msgspec,
    duckdb=DUCKDB,
)
