"""`engine plan`: how a pipeline would run on several cores or on a cluster, without running it."""

from __future__ import annotations

import argparse
import sys
from contextlib import redirect_stdout

from engine import api
from engine.cli.pipelines import given_pipeline
from engine.cli.reserved import reserve_stdout
from engine.cli.worker_options import (
    add_on,
    add_resources,
    add_workers,
    cluster_of,
    given_resources,
    refuse_resources_without_cluster,
)
from engine.cli.wrapping import width_of, wrapped
from engine.cluster.cores import count_of
from engine.cluster.explain import Part, parts_of
from engine.cluster.needs import Demand, amounts, demands_of, fits, groups_of
from engine.cluster.segments import Spread, spread_of
from engine.plan.plan import Plan
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
    add_on(parser)
    add_resources(parser)


def run(arguments: argparse.Namespace) -> int:
    """0, whether or not the pipeline can run on several cores; 1 if the cluster has no room."""
    registry = discover()
    spec = given_pipeline(arguments.pipeline, registry)
    plan = api.compile_plan(spec, registry)
    spread = spread_of(plan)
    groups = groups_of(spread, given_resources(arguments))
    refuse_resources_without_cluster(arguments)
    if not arguments.on:
        _show(plan, spread, count_of(arguments.workers))
        return 0
    with (
        reserve_stdout() as out,
        cluster_of(arguments.on, arguments.workers) as (workers, nodes),
        redirect_stdout(out),
    ):
        _show(plan, spread, workers)
        return _show_room(demands_of(groups, workers), nodes)


def _show(plan: Plan, spread: Spread, workers: int) -> None:
    width = width_of(sys.stdout)
    headline = _headline(plan.name, workers, is_spread=bool(spread.stages) and workers > 1)
    print(wrapped(visible(headline), width, 2))
    copies = workers if spread.stages else 1
    for part in parts_of(spread, plan, copies):
        print()
        for line in _lines(part, copies):
            print(wrapped(visible(line), width, 12))


def _show_room(demands: list[Demand], nodes: list[dict[str, float]]) -> int:
    """What the plan needs and the cluster has; 1 if that is too little."""
    names = dict.fromkeys(name for demand in demands for name in demand.needs)
    total = {name: sum(node.get(name, 0.0) for node in nodes) for name in (*names, "CPU")}
    has_room = fits(demands, nodes)
    print(f"\nThe run needs {' and '.join(map(str, demands)) or 'no workers'}.")
    on = "1 node" if len(nodes) == 1 else f"{len(nodes)} nodes"
    print(f"The cluster has {amounts(total)} on {on}: ", end="")
    print("enough." if has_room else "too little, or too little on any one node.")
    return 0 if has_room else 1


def _headline(name: str, workers: int, *, is_spread: bool) -> str:
    if is_spread:
        return f"{name}: {workers} workers, and the run itself"
    if workers <= 1:
        return f"{name}: one worker, so everything runs in one process"
    return f"{name}: runs on one core; no snap can share its work among {workers} workers"


def _lines(part: Part, workers: int) -> list[str]:
    where = f"{part.copies} copies" if part.copies > 1 else "once"
    return [f"{where:>10}  {' → '.join(part.labels)}", *(f"{'':12}{note}" for note in part.notes)]
