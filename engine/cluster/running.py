"""Run a plan on several workers, or on one core if there is nothing to spread."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal

from engine.cluster.coordinator import Coordinator
from engine.cluster.file_ranges import ranged_for
from engine.cluster.placement import Placement
from engine.cluster.processes import Processes
from engine.cluster.segments import spread_of
from engine.errors import EngineError
from engine.plan.plan import Plan
from engine.registry import Registry
from engine.run.identity import RunIdentity
from engine.run.report import Report
from engine.run.runner import run_plan

Workers = int | Literal["auto"]


def count_of(workers: Workers) -> int:
    """The number of workers; "auto" is one for each core that this process may use."""
    if workers != "auto":
        return workers
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


async def run_spread(
    plan: Plan,
    registry: Registry,
    identity: RunIdentity,
    *,
    workers: Workers,
    placement: Placement | None = None,
    options: Mapping[str, Any],
) -> tuple[Report, EngineError | None]:
    """Like `run_plan`, whose `options` it takes, with the segments of the plan on workers.

    Without a `placement`, workers are processes of this machine, and one worker is no worker at
    all: the plan runs in this process.
    """
    count = count_of(workers)
    spread = spread_of(plan)
    is_alone = count <= 1 and placement is None
    if is_alone or not spread.stages or identity.random_seed is not None:
        return await run_plan(plan, registry, identity, **options)
    placement = placement or Processes()
    coordinator = Coordinator(spread, placement, count)
    guard = ranged_for(spread.split_sources) if placement.shares_files else None
    try:
        return await run_plan(
            spread.local, registry, identity, elsewhere=coordinator, guard=guard, **options
        )
    finally:
        await coordinator.close()
