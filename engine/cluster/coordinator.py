"""Runs a plan with its segments on workers: who works on what, and the run around them.

The run itself is the ordinary one (engine.run.runner), with the same links, errors, counts and
end. It hands the stages that are segments to the workers, which see neither files nor sinks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from engine.cluster.keyed_stage import KeyedStage
from engine.cluster.messages import Job, Segment, to_bytes
from engine.cluster.needs import ONE_CPU, Group
from engine.cluster.placement import ClusterPlacement, Placement
from engine.cluster.pool import Pool
from engine.cluster.remote_stage import SpreadStage
from engine.cluster.replica import versions
from engine.cluster.segments import Spread
from engine.plan.plan import Plan, Stage
from engine.run.execution import Execution
from engine.run.report import SnapStatistics
from engine.sdk.parallel import ByKey
from engine.sdk.quantities import parse_size
from engine.sdk.views import ERROR_VIEW

if TYPE_CHECKING:
    from engine.run.elsewhere import RemoteStage


class Coordinator:
    """Takes the segments of a spread plan to workers (an Elsewhere). Close it after the run."""

    def __init__(
        self, spread: Spread, placement: Placement, workers: int, groups: Sequence[Group]
    ) -> None:
        self._spread = spread
        self._placement = placement
        self._workers = workers
        self._groups = groups
        self._pools: list[Pool] = []

    def stages(self, execution: Execution) -> Mapping[Stage, RemoteStage]:
        self._placement.begin(self._workers)
        plan = _with_shares(self._spread, self._workers)
        for group in self._groups:
            self._pools.append(self._pool(plan, group, execution))
        pools = {
            segment.number: pool
            for group, pool in zip(self._groups, self._pools, strict=True)
            for segment in group.segments
        }
        return {
            stage: _stage_class(segment)(
                segment, pools[segment.number], execution, _no_counts(segment, execution)
            )
            for stage, segment in self._spread.stages.items()
        }

    def _pool(self, plan: Plan, group: Group, execution: Execution) -> Pool:
        """The workers of a group, numbered after those of the groups before."""
        engine, python = versions()
        job = Job(
            plan,
            execution.identity,
            group.segments,
            str(execution.services.folder),
            self._workers,
            engine,
            python,
        )
        placement = self._placement
        if group.needs != ONE_CPU and isinstance(placement, ClusterPlacement):
            placement = placement.needing(group.needs)
        first = len(self._pools) * self._workers + 1
        return Pool(placement, to_bytes(job), self._workers, execution.services.show, first)

    async def close(self) -> None:
        for pool in self._pools:
            await pool.close()
        await self._placement.close()


def _stage_class(segment: Segment) -> type[SpreadStage]:
    return KeyedStage if isinstance(segment.keyed, ByKey) else SpreadStage


def _with_shares(spread: Spread, workers: int) -> Plan:
    """The plan of the workers, in which each copy of a keyed snap has its share of the memory."""
    keyed = {each.labels[0] for each in spread.segments if isinstance(each.keyed, ByKey)}
    snaps = []
    for snap in spread.remote.snaps:
        memory = getattr(snap.settings, "memory", None)
        if snap.label in keyed and memory is not None:
            share = max(1, parse_size(memory) // workers)
            settings = dataclasses.replace(snap.settings, memory=share)  # type: ignore[type-var]
            snap = msgspec.structs.replace(snap, settings=settings)
        snaps.append(snap)
    return msgspec.structs.replace(spread.remote, snaps=tuple(snaps))


def _no_counts(segment: Segment, execution: Execution) -> dict[str, SnapStatistics]:
    snaps = map(execution.snap, segment.labels)
    return {
        snap.label: SnapStatistics(
            snap.label,
            snap.type,
            inputs={view.name: 0 for view in snap.inputs},
            outputs={view.name: 0 for view in (*snap.outputs, ERROR_VIEW)},
        )
        for snap in snaps
    }
