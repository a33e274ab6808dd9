"""What a failed document costs: every document fails, against a pipeline that passes all of them.

The documents are fed from memory, so the difference is the failure alone: careful code, the error,
and its error document.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from engine import api
from engine.plan import Plan, Port

BUDGET_MICROSECONDS = 5.0
BATCH = 64

TEN_ROWS = "\n".join(f"      $f{n}: $field{n} + 1" for n in range(9))

SNAPS = {
    "a missing field, routed": "{snap: Filter, filter: $missing.field > 1, on_error: route}",
    "a missing field, discarded": "{snap: Filter, filter: $missing.field > 1, on_error: discard}",
    "a misspelt field, routed": "{snap: Filter, filter: $custmer.name == 'a', on_error: route}",
    "a field of text, routed": "{snap: Filter, filter: $customer.name.first > 1, on_error: route}",
    "the last of ten rows, routed": f"""
    snap: Mapper
    on_error: route
    mappings:
{TEN_ROWS}
      $last: $missing.field
""",
    "a target with a missing field, routed": """
    snap: Mapper
    on_error: route
    pass_through: true
    mappings:
      $a.b: $missing.field
""",
}
PASSES = "{snap: Filter, filter: $field1 >= 0}"


class Discard:
    """An observer that drops what leaves the pipeline."""

    def started(self, report: Any, secrets: Any) -> None: ...
    def show(self, label: str, text: str, request_id: str = "") -> None: ...
    def output(self, port: Port, batch: Any) -> None: ...
    def finished(self, report: Any) -> None: ...


def batches(count: int) -> Iterator[list[Any]]:
    for start in range(0, count, BATCH):
        yield [
            {
                "id": number,
                "customer": {"name": "Ann", "address": {"city": "Oslo"}},
                **{f"field{n}": number for n in range(9)},
            }
            for number in range(start, start + BATCH)
        ]


def plan_of(folder: Path, snap: str) -> Plan:
    file = folder / "failing.yaml"
    routed = "" if "route" not in snap else "\nlinks: [fail.error -> drop]"
    drop = "" if not routed else "\n  drop: {snap: Filter, filter: 'false'}"
    file.write_text(f"pipeline: Failing\nsnaps:\n  fail: {snap}{drop}{routed}\n")
    return api.compile_plan(file)


def seconds(plan: Plan, documents: int) -> float:
    given = list(batches(documents))
    started = time.process_time()
    _, failure = asyncio.run(
        api.start(plan, inputs={str(plan.open_inputs[0]): iter(given)}, observer=Discard())
    )
    assert failure is None, failure
    return time.process_time() - started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    count = arguments.documents // BATCH * BATCH
    with tempfile.TemporaryDirectory() as name:
        plans = {title: plan_of(Path(name), snap) for title, snap in SNAPS.items()}
        passing = plan_of(Path(name), PASSES)
    times: dict[str, list[float]] = {title: [] for title in plans}
    for _ in range(arguments.rounds):
        base = seconds(passing, count)
        for title, plan in plans.items():
            times[title].append((seconds(plan, count) - base) / count * 1e6)
    print(f"A failed document, in µs of CPU (budget: at most {BUDGET_MICROSECONDS:.0f})")
    for title, each in times.items():
        print(f"  {median(each):6.2f}  {title}")
    return int(max(map(median, times.values())) > BUDGET_MICROSECONDS)


if __name__ == "__main__":
    sys.exit(main())
