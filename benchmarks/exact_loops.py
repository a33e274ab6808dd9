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
from benchmarks.cases import arrays, few_fields, filter_and_map, load_case, ten_snaps
from benchmarks.competitors import BASE, ENGINE, engine_competitor, loop_competitor
from benchmarks.documents import write_documents
from benchmarks.msgspec_loops import Shaping
from benchmarks.outputs import first_difference
from benchmarks.processes import FailedProcessError, Rounds
from benchmarks.results import Row, Section

_LINES = 500
"""In a block."""

_encode = msgspec.json.Encoder(decimal_format="number").encode_lines

Write = Callable[[bytes], object]


class Order(ten_snaps.Order, gc=False):
    price: Any
    discount: Any
    shipping: Any


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


class Article(arrays.Article, gc=False):
    price: Any


class Basket(arrays.Basket, gc=False):
    items: list[Article]  # type: ignore[assignment]  # articles that it decodes


class Record(few_fields.Record, gc=False):
    amount: Any


def _blocks(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    following = iter(lines)
    while block := list(islice(following, _LINES)):
        yield block


def _decode(struct: type) -> Callable[[bytes], Any]:
    return msgspec.json.Decoder(struct, float_hook=Decimal).decode


def _loop_over(struct: type, shaping: Shaping) -> Loop:
    """The loop of a case that makes new documents."""

    def loop(lines: Iterable[bytes], write: Write) -> None:
        decode = _decode(struct)
        for block in _blocks(lines):
            write(_encode(list(shaping(map(decode, block), Decimal))))

    return loop


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


LOOPS: dict[str, Loop] = {
    "filter_and_map": _loop_over(Order, filter_and_map.shaping),
    "filter_only": filter_only_loop,
    "added_field": added_field_loop,
    "few_fields": _loop_over(Record, few_fields.shaping),
    "filter_records": filter_records_loop,
    "ten_snaps": _loop_over(Order, ten_snaps.shaping),
    "arrays": _loop_over(Basket, arrays.shaping),
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
