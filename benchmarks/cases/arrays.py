"""Filter, map and reduce over the items of every document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any

import msgspec
import orjson

from benchmarks.case import Case
from benchmarks.documents import money
from benchmarks.msgspec_loops import Number, loop_over

ITEMS = ("bolt", "nut", "washer", "screw", "hinge", "bracket", "rivet", "spring")
SNAPS = """\
  shape:
    snap: Mapper
    mappings:
      $id: $id
      $names: $items.filter(x => x.price > 10).map(x => x.name)
      $total: "$items.reduce((sum, x) => sum + x.price * x.quantity, 0)"
"""
LINKS = """\
  - parse -> shape -> format
"""
DUCKDB = """
SELECT id, [x.name FOR x IN items IF x.price > 10] AS names,
    list_sum([x.price * x.quantity FOR x IN items]) AS total
FROM documents
"""
POLARS = """
.select(
    "id",
    names=pl.col("items").list.eval(
        pl.element().struct.field("name").filter(pl.element().struct.field("price") > 10)
    ),
    total=pl.col("items").list.eval(
        pl.element().struct.field("price") * pl.element().struct.field("quantity")
    ).list.sum(),
)
"""
JQ = """
{id, names: [.items[] | select(.price > 10) | .name],
 total: (reduce .items[] as $x (0; . + $x.price * $x.quantity))}
"""


def basket(random: Random, number: int) -> dict[str, Any]:
    """A basket of three to five items, about 200 bytes; half of the items cost over 10."""
    items = [
        {
            "name": random.choice(ITEMS),
            "price": money(random, 20),
            "quantity": random.randrange(1, 10),
        }
        for _ in range(random.randrange(3, 6))
    ]
    return {"id": number, "items": items}


def by_orjson(lines: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    for line in lines:
        basket = orjson.loads(line)
        items = basket["items"]
        total = 0
        for item in items:
            total += item["price"] * item["quantity"]
        shaped = {
            "id": basket["id"],
            "names": [item["name"] for item in items if item["price"] > 10],
            "total": total,
        }
        write(orjson.dumps(shaped, option=orjson.OPT_APPEND_NEWLINE))


class Article(msgspec.Struct, gc=False):
    name: str
    price: float
    quantity: int


class Basket(msgspec.Struct, gc=False):
    id: int
    items: list[Article]


class Shaped(msgspec.Struct, gc=False):
    id: int
    names: list[str]
    total: float


def shaping(baskets: Iterable[Basket], number: Number) -> Iterator[Shaped]:
    zero, ten = map(number, (0, 10))
    for basket in baskets:
        total = zero
        for item in basket.items:
            total += item.price * item.quantity
        names = [item.name for item in basket.items if item.price > ten]
        yield Shaped(basket.id, names, total)


CASE = Case(
    title="arrays: filter, map and reduce over items",
    wanted=0.9,
    generator=basket,
    snaps=SNAPS,
    links=LINKS,
    by_orjson=by_orjson,
    by_msgspec=loop_over(Basket, shaping),
    duckdb=DUCKDB,
    polars=POLARS,
    jq=JQ,
)
