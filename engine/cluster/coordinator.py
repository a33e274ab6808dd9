"""Runs a plan with its segments on workers: who works on what, and the run around them.

The run itself is the ordinary one (engine.run.runner), with the same links, errors, counts and
end. It hands the stages that are segments to the workers, which see neither files nor sinks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.cluster.messages import Job, Segment, to_bytes
from engine.cluster.placement import Placement
from engine.cluster.pool import Pool
from engine.cluster.remote_stage import SpreadStage
from engine.cluster.replica import versions
from engine.cluster.segments import Spread
from engine.plan.plan import Stage
from engine.run.execution import Execution
from engine.run.report import SnapStatistics
from engine.sdk.views import ERROR_VIEW

if TYPE_CHECKING:
    from engine.run.elsewhere import RemoteStage


class Coordinator:
    """Takes the segments of a spread plan to workers (an Elsewhere). Close it after the run."""

    def __init__(self, spread: Spread, placement: Placement, workers: int) -> None:
        self._spread = spread
        self._placement = placement
        self._workers = workers
        self._pool: Pool | None = None

    def stages(self, execution: Execution) -> Mapping[Stage, RemoteStage]:
        self._placement.begin()
        engine, python = versions()
        job = Job(
            self._spread.remote,
            execution.identity,
            self._spread.segments,
            str(execution.services.folder),
            engine,
            python,
        )
        pool = Pool(self._placement, to_bytes(job), self._workers, execution.services.show)
        self._pool = pool
        return {
            stage: SpreadStage(segment, pool, execution, _no_counts(segment, execution))
            for stage, segment in self._spread.stages.items()
        }

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
        await self._placement.close()


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
