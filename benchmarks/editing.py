"""Editing: all problems of a pipeline of 200 snaps, as an editor asks for them after each edit."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from itertools import count

import yaml

from benchmarks.large_pipeline import large_pipeline
from benchmarks.results import Row, Section
from engine.pipeline import parse
from engine.plan import check_spec
from engine.registry import discover

GOAL = 50
"""CPU ms for all problems after an edit of one line."""


def measure(rounds: int) -> Section:
    registry, numbers = discover(), count()
    text = large_pipeline()
    check_spec(parse(text), registry)

    def check_again() -> None:
        line = f"$a100 > {next(numbers)}"
        check_spec(parse(text.replace("$a99 > 99", line)), registry)

    def only_yaml() -> None:
        yaml.compose(text, Loader=yaml.CSafeLoader)

    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(_milliseconds(check_again))
        theirs.append(_milliseconds(only_yaml))
    figures = {"Snapline": statistics.median(ours), "PyYAML": statistics.median(theirs)}
    title = "all problems after an edit of one line"
    row = Row(title, figures, figures["Snapline"] / GOAL, 1.0)
    return Section("Editing 200 snaps", "CPU ms", f"Snapline / {GOAL} ms", [row])


def _milliseconds(call: Callable[[], None]) -> float:
    start = time.process_time()
    call()
    return (time.process_time() - start) * 1e3
