"""The CPU time per row of a script in a child process, against the same function in a plain loop.

The plain loop encodes and decodes each batch as the protocol must, and calls the function in
between; the rest of the difference is the child: two process switches per frame, the row counter
and the check of the results. The time is that of both processes, as the child itself reports its
own; the goal for five values in a batch is 2 µs. Rounds are interleaved and figures are medians
over them, because the machine is noisy.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from statistics import median
from typing import Any

import msgspec

from benchmarks.results import Row, Section
from engine.documents import RawJson
from engine.script.executor import Executor
from engine.sdk.scripts import Script, ScriptSession

SOURCE = """
import time

def snaplogic_process(row):
    return {"cpu": time.process_time()} if "cpu" in row else row
"""
SECONDS = 0.1
VALUES = {"id": 17, "name": "a name", "amount": 12.5, "active": True, "note": None}
PIXELS = [[round(x * y / 729, 4) for x in range(28)] for y in range(28)]
ROWS: dict[str, dict[str, Any]] = {
    "5 values": VALUES,
    "a decimal": VALUES | {"amount": Decimal("12.5")},
    "28x28 image": {"image": PIXELS},
    "as JSON text": {"image": RawJson(msgspec.json.encode(PIXELS))},
}
SIZES = (1, 64, 2048)
"""Rows per batch. Large batches are sent in several frames, ahead of their answers."""


Rows = list[dict[str, Any]]


def plain_loop(rows: Rows) -> list[Any]:
    """The function in this process, with the encoding that a process boundary needs."""
    received = msgspec.msgpack.decode(_encoded(rows))
    return list(msgspec.msgpack.decode(_encoded([process(row) for row in received])))


def process(row: dict[str, Any]) -> dict[str, Any]:
    return row


_encoded = msgspec.msgpack.Encoder(decimal_format="number").encode


class Child:
    """A script in a child process, and the CPU time of both processes."""

    def __init__(self, session: ScriptSession) -> None:
        self._session = session

    def __call__(self, rows: Rows) -> list[Any]:
        return [answer for part in self._session.process(rows) for answer in part]

    def seconds(self) -> float:
        [answer] = self([{"cpu": True}])
        return time.process_time() + float(answer["cpu"])


def microseconds(work: Callable[[Rows], Any], clock: Callable[[], float], rows: Rows) -> float:
    """CPU time per row, over as many batches as fit into the time for one round."""
    begin, count, end = clock(), 0, time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        work(rows)
        count += len(rows)
    return (clock() - begin) / count * 1e6


def measure(rounds: int) -> Section:
    session = Executor().open(Script(SOURCE), print)
    session.start()
    child = Child(session)
    try:
        rows = [_measure(name, size, child, rounds) for name in ROWS for size in SIZES]
    finally:
        session.close()
    unit = "CPU µs per row of parent and child"
    return Section("Rows of a script", unit, "Snapline / a plain loop", rows)


def _measure(name: str, size: int, child: Child, rounds: int) -> Row:
    rows = [dict(ROWS[name]) for _ in range(size)]
    # A row whose values only the child can decode has the plain loop of its values.
    is_text = any(isinstance(value, RawJson) for value in rows[0].values())
    compared = [{"image": PIXELS}] * size if is_text else rows
    pairs = [
        (
            microseconds(child, child.seconds, rows),
            microseconds(plain_loop, time.process_time, compared),
        )
        for _ in range(rounds)
    ]
    ours, plain = map(median, zip(*pairs, strict=True))
    title = f"{name}, {size:,} in a batch" if size > 1 else f"{name}, one by one"
    figures = {"Snapline": ours, "a plain loop": plain}
    return Row(title, figures, median(each / alone for each, alone in pairs))
