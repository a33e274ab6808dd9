"""A snap of a stage whose calls leave spans, in a process that traces requests."""

from __future__ import annotations

from collections.abc import Collection
from time import time_ns

from engine.documents import Batch
from engine.registry import Registry
from engine.run.execution import Execution
from engine.run.member import Member
from engine.run.outputs import Outputs
from engine.run.tracing import Tracer
from engine.sdk.results import Emission


class TracedMember(Member):
    """Measures as `Member` does, for the requests that are sampled."""

    def __init__(
        self, label: str, registry: Registry, execution: Execution, tracer: Tracer, *, cuts: bool
    ) -> None:
        super().__init__(label, registry, execution, cuts=cuts)
        self._tracer = tracer

    def call(self, view: str, batch: Batch) -> Emission:
        numbers = self._tracer.sampled(batch) if self._tracer.requests else ()
        if not numbers:
            return Member.call(self, view, batch)
        before = self.statistics.seconds
        start = self._tracer.enter(self.plan.label, self.plan.type, numbers)
        try:
            return super().call(view, batch)
        finally:
            seconds = self.statistics.seconds - before
            self._tracer.leave(self.plan.label, numbers, start, seconds)

    def results(self, view: str, batch: Batch, emission: Emission) -> Outputs:
        outputs = super().results(view, batch, emission)
        numbers = self._tracer.sampled(batch)
        return self._measured(outputs, numbers) if numbers else outputs

    def _measured(self, outputs: Outputs, numbers: Collection[int]) -> Outputs:
        """The work of a lazy result is done while it is read."""
        before, start = self.statistics.seconds, time_ns()
        self._tracer.resume(self.plan.label, numbers)
        try:
            yield from outputs
        finally:
            seconds = self.statistics.seconds - before
            self._tracer.leave(self.plan.label, numbers, start, seconds)
