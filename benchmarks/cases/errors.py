"""Every order fails, since a field is missing, and is written with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
import orjson

from benchmarks.case import Case
from benchmarks.documents import order

SNAPS = """\
  shape:
    snap: Mapper
    mappings:
      $id: $id
      $name: $customer.name
      $street: $customer.address.street
"""
LINKS = """\
  - parse -> shape
  - shape.error -> format
"""


def by_orjson(lines: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    for line in lines:
        order = orjson.loads(line)
        try:
            customer = order["customer"]
            shaped = {
                "id": order["id"],
                "name": customer["name"],
                "street": customer["address"]["street"],
            }
        except KeyError as error:
            shaped = {
                "error": "the order could not be shaped",
                "reason": f"{error} is missing",
                "original": order,
            }
        write(orjson.dumps(shaped, option=orjson.OPT_APPEND_NEWLINE))


class Address(msgspec.Struct, gc=False):
    street: str


class Customer(msgspec.Struct, gc=False):
    name: str
    address: Address


class Order(msgspec.Struct, gc=False):
    id: int
    customer: Customer


class Shaped(msgspec.Struct, gc=False):
    id: int
    name: str
    street: str


class Failed(msgspec.Struct, gc=False):
    error: str
    reason: str
    original: msgspec.Raw


def by_msgspec(lines: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    decode = msgspec.json.Decoder(Order).decode
    encode = msgspec.json.Encoder().encode
    shaped: Shaped | Failed
    for line in lines:
        try:
            order = decode(line)
            shaped = Shaped(order.id, order.customer.name, order.customer.address.street)
        except msgspec.ValidationError as error:
            shaped = Failed("the order could not be shaped", str(error), msgspec.Raw(line.strip()))
        write(encode(shaped) + b"\n")


CASE = Case(
    title="every document fails, errors routed with `original`",
    wanted=0.5,
    generator=order,
    snaps=SNAPS,
    links=LINKS,
    by_orjson=by_orjson,
    by_msgspec=by_msgspec,
    compared=("original",),  # each words its messages in its own way
)
