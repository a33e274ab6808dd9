"""The cost per row of a script in a child process, against the same function in a plain loop.

The plain loop encodes and decodes each batch as the protocol must, and calls the function in
between; the rest of the difference is the child: two process switches per batch, the row counter
and the check of the results. Run with `python -m benchmarks.script_child`.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import msgspec

from engine.script.executor import Executor
from engine.sdk.scripts import Script

SOURCE = "def snaplogic_process(row):\n    return row\n"
ROUNDS = 7
SECONDS = 0.4
SMALL = {"id": 17, "name": "a name", "amount": 12.5, "active": True, "note": None}
IMAGE = {"image": [[0.5] * 28 for _ in range(28)]}


def plain_loop(rows: list[dict[str, Any]]) -> list[Any]:
    """The function in this process, with the encoding that a process boundary needs."""
    encode, decode = msgspec.msgpack.encode, msgspec.msgpack.decode
    received = decode(encode(rows))
    return list(decode(encode([process(row) for row in received])))


def process(row: dict[str, Any]) -> dict[str, Any]:
    return row


def microseconds(work: Callable[[list[dict[str, Any]]], Any], rows: list[dict[str, Any]]) -> float:
    """Time per row, over as many batches as fit into the time for one round."""
    begin, count = time.perf_counter(), 0
    while (spent := time.perf_counter() - begin) < SECONDS:
        work(rows)
        count += len(rows)
    return spent / count * 1e6


def main() -> None:
    begin = time.perf_counter()
    session = Executor().open(Script(SOURCE), print)
    session.start()

    def in_child(rows: list[dict[str, Any]]) -> list[Any]:
        return [answer for part in session.process(rows) for answer in part]

    print(f"start of a session: {(time.perf_counter() - begin) * 1e3:.0f} ms")
    print(f"{'row':<14}{'batch':>6}{'plain µs':>10}{'child µs':>10}{'ratio':>8}")
    try:
        for name, row in (("5 values", SMALL), ("28x28 image", IMAGE)):
            for size in (1, 16, 64, 256):
                rows = [row] * size
                pairs = [
                    (microseconds(plain_loop, rows), microseconds(in_child, rows))
                    for _ in range(ROUNDS)
                ]
                plain = statistics.median(each for each, _ in pairs)
                child = statistics.median(each for _, each in pairs)
                ratio = statistics.median(each / alone for alone, each in pairs)
                print(f"{name:<14}{size:>6}{plain:>10.2f}{child:>10.2f}{ratio:>8.1f}")
    finally:
        session.close()


if __name__ == "__main__":
    main()
