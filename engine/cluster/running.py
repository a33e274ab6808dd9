"""Run a plan on several workers, or on one core if there is nothing to spread."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from engine.cluster.coordinator import Coordinator
from engine.cluster.cores import Workers, count_of
from engine.cluster.file_ranges import ranged_for
from engine.cluster.needs import Needs, groups_of
from engine.cluster.placement import ClusterPlacement, Placement
from engine.cluster.processes import Processes
from engine.cluster.segments import spread_of
from engine.errors import ConfigurationError, EngineError
from engine.plan.plan import Plan
from engine.registry import Registry
from engine.run.identity import RunIdentity
from engine.run.report import Report
from engine.run.runner import run_plan


async def run_spread(
    plan: Plan,
    registry: Registry,
    identity: RunIdentity,
    *,
    workers: Workers,
    placement: Placement | None = None,
    needs: Mapping[str, Needs] = MappingProxyType({}),
    options: Mapping[str, Any],
) -> tuple[Report, EngineError | None]:
    """Like `run_plan`, whose `options` it takes, with the segments of the plan on workers.

    Without a `placement`, workers are processes of this machine, and one worker is no worker at
    all: the plan runs in this process. `needs`: what snaps need, by label (engine.cluster.needs).
    Raises ConfigurationError.
    """
    count = count_of(workers)
    spread = spread_of(plan)
    if needs and not isinstance(placement, ClusterPlacement):
        raise ConfigurationError("resources are for workers on a cluster; leave them out")
    groups = groups_of(spread, needs)
    is_alone = count <= 1 and placement is None
    if is_alone or not spread.stages or identity.random_seed is not None:
        return await run_plan(plan, registry, identity, **options)
    placement = placement or Processes()
    coordinator = Coordinator(spread, placement, count, groups)
    guard = ranged_for(spread.split_sources)
    try:
        return await run_plan(
            spread.local, registry, identity, elsewhere=coordinator, guard=guard, **options
        )
    finally:
        await coordinator.close()
