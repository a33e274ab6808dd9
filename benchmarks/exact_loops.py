"""Loops written by hand that compute with decimals, as an engine with exact numbers has to.

They work on blocks and check nothing: neither numbers out of bounds, nor whether a line that leaves
as it came has the form that a formatter writes. An engine that decodes with msgspec can hardly be
faster, so they show which goals of the cases are within its reach.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.case import Loop
from benchmarks.cases import few_fields, filter_and_map, load_case, ten_snaps
from benchmarks.competitors import BASE, ENGINE, engine_competitor, loop_competitor
from benchmarks.documents import write_documents
from benchmarks.outputs import first_difference
from benchmarks.processes import FailedProcessError, Rounds
from benchmarks.results import Row, Section

_LINES = 500
"""In a block."""

_ONE, _TEN, _TWENTY, _LARGE = map(Decimal, (1, 10, 20, 250))
_encode = msgspec.json.Encoder(decimal_format="number").encode_lines

Write = Callable[[bytes], object]


class Order(msgspec.Struct, gc=False):
    id: int
    token: str
    created: str
    price: Any
    quantity: int
    discount: Any
    shipping: Any
    customer: ten_snaps.Customer


class Priced(msgspec.Struct, gc=False):
    price: Any
    quantity: int


class Amount(msgspec.Struct, gc=False):
    amount: Any


class Wanted(msgspec.Struct, gc=False):
    token: str
    quantity: int


class Status(msgspec.Struct, gc=False):
    status: str


class Article(msgspec.Struct, gc=False):
    name: str
    price: Any
    quantity: int


class Basket(msgspec.Struct, gc=False):
    id: int
    items: list[Article]


class Total(msgspec.Struct, gc=False):
    id: int
    names: list[str]
    total: Any


class Record(msgspec.Struct, gc=False):
    id: int
    status: str
    amount: Any
    customer: few_fields.Customer
    lines: list[few_fields.Line]
    attribute_08: str
    attribute_09: int


def _blocks(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    following = iter(lines)
    while block := list(islice(following, _LINES)):
        yield block


def _decode(struct: type) -> Callable[[bytes], Any]:
    return msgspec.json.Decoder(struct, float_hook=Decimal).decode


def filter_and_map_loop(lines: Iterable[bytes], write: Write) -> None:
    decode = _decode(Order)
    for block in _blocks(lines):
        made = []
        for order in map(decode, block):
            if order.token == "secret" and order.quantity > 5:
                customer = order.customer
                net = order.price * order.quantity * (_ONE - order.discount)
                made.append(
                    filter_and_map.Shaped(
                        order.id,
                        customer.name,
                        customer.address.city,
                        net,
                        net + order.shipping,
                        f"{customer.name} #{order.id}",
                    )
                )
        write(_encode(made))


def filter_only_loop(lines: Iterable[bytes], write: Write) -> None:
    decode = _decode(Wanted)
    for block in _blocks(lines):
        orders = map(decode, block)
        kept = [
            line
            for order, line in zip(orders, block, strict=True)
            if order.token == "secret" and order.quantity > 5
        ]
        write(b"".join(kept))


def filter_records_loop(lines: Iterable[bytes], write: Write) -> None:
    decode = _decode(Status)
    for block in _blocks(lines):
        records = map(decode, block)
        kept = [
            line for record, line in zip(records, block, strict=True) if record.status == "open"
        ]
        write(b"".join(kept))


def added_field_loop(lines: Iterable[bytes], write: Write) -> None:
    decode = _decode(Priced)
    for block in _blocks(lines):
        amounts = [Amount(order.price * order.quantity) for order in map(decode, block)]
        tails = _encode(amounts).replace(b"{", b",").splitlines(keepends=True)
        write(b"".join([line[:-2] + tail for line, tail in zip(block, tails, strict=True)]))


def few_fields_loop(lines: Iterable[bytes], write: Write) -> None:
    decode = _decode(Record)
    for block in _blocks(lines):
        made = [
            few_fields.Shaped(
                record.id,
                record.customer.name,
                record.amount,
                record.lines[0].sku,
                f"{record.attribute_08} {record.attribute_09}",
            )
            for record in map(decode, block)
            if record.status == "open"
        ]
        write(_encode(made))


def ten_snaps_loop(lines: Iterable[bytes], write: Write) -> None:
    decode = _decode(Order)
    for block in _blocks(lines):
        made = []
        for order in map(decode, block):
            if order.token != "secret":
                continue
            amount = order.price * order.quantity
            if amount <= _TWENTY:
                continue
            total = amount * (_ONE - order.discount) + order.shipping
            size = "large" if total > _LARGE else "small"
            if size == "large" or order.quantity > 2:
                customer = order.customer
                made.append(
                    ten_snaps.Shaped(
                        order.id,
                        customer.name.upper(),
                        customer.address.city,
                        total,
                        size,
                        order.created[:7],
                    )
                )
        write(_encode(made))


def arrays_loop(lines: Iterable[bytes], write: Write) -> None:
    decode = _decode(Basket)
    for block in _blocks(lines):
        made = []
        for basket in map(decode, block):
            total: Any = 0
            for item in basket.items:
                total += item.price * item.quantity
            names = [item.name for item in basket.items if item.price > _TEN]
            made.append(Total(basket.id, names, total))
        write(_encode(made))


LOOPS: dict[str, Loop] = {
    "filter_and_map": filter_and_map_loop,
    "filter_only": filter_only_loop,
    "added_field": added_field_loop,
    "few_fields": few_fields_loop,
    "filter_records": filter_records_loop,
    "ten_snaps": ten_snaps_loop,
    "arrays": arrays_loop,
}
"""By the names of the cases."""


def measure(*, quick: bool, rounds: int) -> Section:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        rows = [_measured(name, quick, rounds, Path(folder)) for name in LOOPS]
    return Section(
        "Exact loops, without any checks",
        "CPU µs per document",
        f"{BASE} / exact loop",
        rows,
        at_least=True,
    )


def _measured(name: str, quick: bool, rounds: int, folder: Path) -> Row:
    case = load_case(name)
    count = case.documents // 10 if quick else case.documents
    source = folder / f"{case.generator.__name__}-{count}.jsonl"
    if not source.exists():
        write_documents(source, case.generator, count)
    exact = loop_competitor(name, "exact")
    rivals = engine_competitor(name, case, folder), exact, loop_competitor(name, BASE)
    targets = {each.name: folder / f"{each.name}.out" for each in rivals}
    commands = {each.name: each.make_command(source, targets[each.name]) for each in rivals}
    found = Rounds.run(commands, rounds)
    if difference := first_difference(targets[BASE], targets[exact.name]):
        raise FailedProcessError(f"{case.title}: the exact loop wrote {difference}")
    figures = {each: found.median(each) / count * 1e6 for each in commands}
    return Row(
        f"{case.title} ({count:,})",
        {ENGINE: figures[ENGINE], "exact loop": figures[exact.name], BASE: figures[BASE]},
        found.ratio(BASE, exact.name),
        case.wanted,
    )
