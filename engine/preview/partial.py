"""Runs a part of a pipeline, or all of it without those snaps that act on the outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from engine.errors import EngineError
from engine.pipeline.spec import PipelineSpec
from engine.plan import Port
from engine.plan.plan import PlannedSnap
from engine.preview.files import PreviewFiles
from engine.preview.planning import plan_up_to, target_of
from engine.preview.running import Inputs, first_items, http_client
from engine.preview.stage import Policy, PreviewRegistry
from engine.registry import Registry
from engine.run.execution import Load
from engine.run.identity import identify
from engine.run.observer import Observer
from engine.run.runner import run_plan
from engine.run.stopping import Stopper
from engine.script.executor import Executor

if TYPE_CHECKING:
    from engine.run.breaking import Breaker
    from engine.run.taps import Taps

_READS = ("network", "database")


class Part(msgspec.Struct, frozen=True):
    """What to run: all up to the snap or view `to` (empty: all), with `limit` documents from each
    source. `is_dry`: snaps that write do not run."""

    to: str = ""
    limit: int | None = None
    is_dry: bool = False


class PartialRun:
    """A run of a part. Stages call their snaps one by one, which may stop when there is enough."""

    def __init__(
        self, spec: PipelineSpec, registry: Registry, part: Part, project: str | None
    ) -> None:
        """The pipeline has no mistakes. Raises ConfigurationError for an unknown snap or view."""
        policy = Policy(limit=part.limit, allowed=_READS, writes=not part.is_dry)
        self._part = part
        self._stage = PreviewRegistry(registry, policy)
        target = target_of(spec, part.to)
        plan = plan_up_to(spec, self._stage, target, project)
        opened = () if target is None else _outputs_of(plan.snap(target.label), target)
        self.plan = msgspec.structs.replace(
            plan, open_outputs=tuple(dict.fromkeys((*plan.open_outputs, *opened)))
        )

    @property
    def notes(self) -> Sequence[str]:
        """What snaps would have done that did not run."""
        return [
            f"{'' if stood.plan.path == self.plan.path else f'{stood.plan.name}: '}{stood.label}: "
            f"{stood.snap.preview_note()}"
            for stood in self._stage.stand_ins
        ]

    async def start(
        self,
        *,
        parameters: Mapping[str, str],
        inputs: Inputs,
        observer: Observer,
        timezone: str,
        stopper: Stopper,
        load: Load,
        taps: Taps | None = None,
        breaker: Breaker | None = None,
    ) -> EngineError | None:
        """Run it; the error if it failed."""
        plan, limit = self.plan, self._part.limit
        if limit is not None:
            inputs = {name: first_items(items, limit) for name, items in inputs.items()}
        run = partial(
            run_plan,
            plan,
            self._stage,
            identify(plan, parameters, timezone=timezone),
            observer=observer,
            scripts=Executor(),
            inputs=inputs,
            stopper=stopper,
            load=load,
            taps=taps,
            breaker=breaker,
        )
        if not self._part.is_dry:
            return (await run())[1]
        with http_client(_READS) as client:
            files = PreviewFiles(plan.folder, plan.project, lambda: client, _READS)
            return (await run(http=client, files=files))[1]


def _outputs_of(snap: PlannedSnap, target: Port) -> tuple[Port, ...]:
    ports = tuple(Port(snap.label, view.name) for view in snap.outputs)
    return (target,) if target.view else ports
