"""The CPU time per row of a script in a child process, against the same function in a plain loop.

The plain loop encodes and decodes each batch as the protocol must, and calls the function in
between; the rest of the difference is the child: two process switches per frame, the row counter
and the check of the results. The time is that of both processes, as the child itself reports its
own. Rounds are interleaved and figures are medians over them, because the machine is noisy. Run
with `python -m benchmarks.script_child`.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from engine.documents import RawJson
from engine.script.executor import Executor
from engine.sdk.scripts import Script, ScriptSession

SOURCE = """
import time

def snaplogic_process(row):
    return {"cpu": time.process_time()} if "cpu" in row else row
"""
ROUNDS = 15
SECONDS = 0.1
VALUES = {"id": 17, "name": "a name", "amount": 12.5, "active": True, "note": None}
PIXELS = [[round(x * y / 729, 4) for x in range(28)] for y in range(28)]
ROWS: dict[str, dict[str, Any]] = {
    "5 values": VALUES,
    "a decimal": VALUES | {"amount": Decimal("12.5")},
    "28x28 image": {"image": PIXELS},
    "as JSON text": {"image": RawJson(msgspec.json.encode(PIXELS))},
}
SIZES = (1, 16, 64, 256, 2048)
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


def main() -> None:
    begin = time.perf_counter()
    session = Executor().open(Script(SOURCE), print)
    session.start()
    child = Child(session)
    print(f"start of a session: {(time.perf_counter() - begin) * 1e3:.0f} ms")
    print(f"{'row':<14}{'batch':>6}{'plain µs':>10}{'child µs':>10}{'ratio':>8}")
    try:
        for name, row in ROWS.items():
            for size in SIZES:
                report(name, [dict(row) for _ in range(size)], child)
    finally:
        session.close()


def report(name: str, rows: Rows, child: Child) -> None:
    # A row whose values only the child can decode has the plain loop of its values.
    is_text = any(isinstance(value, RawJson) for value in rows[0].values())
    compared = [{"image": PIXELS}] * len(rows) if is_text else rows
    pairs = [
        (
            microseconds(plain_loop, time.process_time, compared),
            microseconds(child, child.seconds, rows),
        )
        for _ in range(ROUNDS)
    ]
    plain, ours = (statistics.median(figures) for figures in zip(*pairs, strict=True))
    ratio = statistics.median(each / alone for alone, each in pairs)
    print(f"{name:<14}{len(rows):>6}{plain:>10.2f}{ours:>10.2f}{ratio:>8.1f}")


if __name__ == "__main__":
    main()
