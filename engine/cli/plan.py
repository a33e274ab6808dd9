"""`engine plan`: show how a pipeline would run on several cores, without running it."""

from __future__ import annotations

import argparse

from engine import api
from engine.cli.pipelines import given_pipeline
from engine.cli.worker_options import add_workers
from engine.cluster.cores import count_of
from engine.cluster.explain import Part, parts_of
from engine.cluster.segments import spread_of
from engine.registry import discover
from engine.visible import visible


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "pipeline", metavar="PIPELINE", help="a pipeline file; - for standard input"
    )
    add_workers(
        parser,
        "number of workers, or auto for one per core of this machine (default: auto)",
        default="auto",
    )


def run(arguments: argparse.Namespace) -> int:
    """0, whether or not the pipeline can run on several cores."""
    registry = discover()
    spec = given_pipeline(arguments.pipeline, registry)
    plan = api.compile_plan(spec, registry)
    workers = count_of(arguments.workers)
    spread = spread_of(plan)
    print(visible(_headline(plan.name, workers, is_spread=bool(spread.stages) and workers > 1)))
    copies = workers if spread.stages else 1
    for part in parts_of(spread, plan, copies):
        print()
        for line in _lines(part, copies):
            print(visible(line))
    return 0


def _headline(name: str, workers: int, *, is_spread: bool) -> str:
    if is_spread:
        return f"{name}: {workers} workers, and the run itself"
    if workers <= 1:
        return f"{name}: one worker, so everything runs in one process"
    return f"{name}: runs on one core; no snap can share its work among {workers} workers"


def _lines(part: Part, workers: int) -> list[str]:
    where = f"{part.copies} copies" if part.copies > 1 else "once"
    return [f"{where:>10}  {' → '.join(part.labels)}", *(f"{'':12}{note}" for note in part.notes)]
