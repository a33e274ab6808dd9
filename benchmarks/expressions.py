"""Compiled expressions against hand-written Python functions.

`python -m benchmarks.expressions [WORD]` prints, for each case whose text holds the word, the CPU
time of both and the median of their ratios; the two are timed alternately, so that a busy machine
matters little. Exits with 1 if a ratio or their median exceeds its budget.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator

from benchmarks.expression_cases import CASES, ORDER, ROWS, TOKEN, Function, ten_fields
from benchmarks.results import Row, Section
from engine.expressions import Scope, compile_expression, compile_mapping
from engine.expressions.decimals import exact_decimals

ROUNDS = 15
SECONDS_PER_ROUND = 0.003
MOST, MEDIAN = 4.0, 1.5

Pair = tuple[str, Function, Function]
"""The text of a case, its compiled and its hand-written function."""


def pairs() -> Iterator[Pair]:
    scope = Scope(parameters={"token": TOKEN})
    for case in CASES:
        yield case.text, compile_expression(case.text, scope=scope), case.by_hand
    yield "a mapping of ten rows", compile_mapping(ROWS), ten_fields


def seconds_per_call(function: Function, calls: int) -> float:
    document = ORDER
    start = time.thread_time()
    for _ in range(calls):
        function(document)
    return (time.thread_time() - start) / calls


def measure(compiled: Function, by_hand: Function) -> tuple[float, float, float]:
    """The median CPU seconds of both, and the median of their ratios."""
    calls = max(20, int(SECONDS_PER_ROUND / max(seconds_per_call(by_hand, 200), 1e-8)))
    rounds = [
        (seconds_per_call(compiled, calls), seconds_per_call(by_hand, calls)) for _ in range(ROUNDS)
    ]
    ratio = statistics.median(ours / theirs for ours, theirs in rounds)
    ours, theirs = map(statistics.median, zip(*rounds, strict=True))
    return ours, theirs, ratio


def section() -> Section:
    """The median of all, and the expression that is slowest in comparison."""
    with exact_decimals():
        found = {text: measure(compiled, by_hand) for text, compiled, by_hand in pairs()}
    worst = max(found, key=lambda text: found[text][2])
    ours, theirs, highest = found[worst]
    median = statistics.median(ratio for _, _, ratio in found.values())
    rows = [
        Row(f"the median of {len(found)}", {}, median, MEDIAN),
        Row(
            f"the slowest: `{worst}`",
            {"Snapline": ours * 1e9, "by hand": theirs * 1e9},
            highest,
            MOST,
        ),
    ]
    return Section("Expressions", "CPU ns", "Snapline / a function written by hand", rows)


def main() -> int:
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    ratios = []
    with exact_decimals():
        for text, compiled, by_hand in pairs():
            if word not in text:
                continue
            assert compiled(ORDER) == by_hand(ORDER), text
            ours, theirs, ratio = measure(compiled, by_hand)
            ratios.append(ratio)
            print(f"{ratio:6.2f}x {ours * 1e9:8.0f} ns, by hand {theirs * 1e9:8.0f} ns  {text}")
    median = statistics.median(ratios)
    print(
        f"median {median:.2f}x of at most {MEDIAN}x, highest {max(ratios):.2f}x of at most {MOST}x"
    )
    return int(median > MEDIAN or max(ratios) > MOST)


if __name__ == "__main__":
    sys.exit(main())
