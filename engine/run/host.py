"""The stage host: opens the snaps of one stage and feeds them batches.

Runners know snaps only through its narrow interface: `open`, `start`, `process`, `finish`, `close`,
`interrupt`. The local runtime, an instance process and a cluster worker all use this class. Results
are produced lazily, piece by piece, so that one huge file does not fill the memory while the next
stage waits.

Batches are cut into slices that each snap can process quickly (engine.run.slices). Between two
slices the host yields an empty batch, so that its caller can do something else, or stop.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

from engine.documents import Batch
from engine.errors import ExecutionError
from engine.expressions.steps import DecodeRows
from engine.plan.plan import Port, Stage
from engine.registry import Registry
from engine.run.execution import Execution
from engine.run.member import Member
from engine.run.outputs import PAUSE, joined
from engine.run.outputs import Outputs as Outputs
from engine.run.plain_way import may_fuse
from engine.run.report import SnapStatistics
from engine.run.services import Crossed
from engine.run.slices import SLICE_SECONDS

if TYPE_CHECKING:
    from engine.run.fused import FusedRun, Plainly
    from engine.run.fused_rows import RowRun


class StageHost:
    """The snaps of one stage, fed from outside through the input views of the first.

    Without `cuts`, every snap gets complete batches, so that tests of a snap do not depend on its
    speed.
    """

    def __init__(
        self, stage: Stage, registry: Registry, execution: Execution, *, cuts: bool = True
    ) -> None:
        self._members = [_member(label, registry, execution, cuts) for label in stage.labels]
        self._ledger = execution.ledger
        self._interrupted = False
        self._entered: Crossed | None = None
        self._inside = {
            port: (target.place, target.view)
            for port, target in execution.plan.routes.inside(stage).items()
        }
        self._fused: FusedRun | RowRun | None = None
        if stage.fused and cuts and may_fuse(execution):
            members = self._members[: stage.fused]
            self._fused = _fused_run(members, execution, self._process_plainly)

    @property
    def members(self) -> list[Member]:
        return self._members

    @property
    def statistics(self) -> list[SnapStatistics]:
        return [member.statistics for member in self._members]

    @property
    def flows(self) -> bool:
        """Whether the first snap yields each result as soon as it is ready."""
        return self._members[0].plan.facts.flows

    @property
    def hurries(self) -> bool:
        """Whether the first snap can be asked not to wait for long."""
        return self._members[0].plan.facts.hurries

    def hurry(self, seconds: float | None) -> None:
        """How long the first snap may wait before it yields nothing yet; None: as long as it takes.

        Then its results include an empty batch, and go on whenever the next is asked for.
        """
        self._members[0].context.patience = seconds

    def watch(self, entered: Crossed | None) -> None:
        """Call `entered` for every batch that enters the stage; None: no longer."""
        self._entered = entered

    def open(self) -> None:
        """Create and open the snaps. Raises SnapFailedError."""
        for member in self._members:
            member.open()

    def start(self) -> Outputs:
        """The items that the snaps emit before their first input."""
        for member in self._members:
            yield from self._pass_on(self._accounted(member, None, member.start()))

    def process(self, view: str, batch: Batch) -> Outputs:
        """The results of a batch for an input view of the stage's first snap."""
        if (entered := self._entered) is not None:
            entered(Port(self._members[0].plan.label, view), batch)
        if self._fused is None:
            return self._process_plainly(view, batch)
        return self._pass_on(self._fused.process(view, batch))

    def _process_plainly(self, view: str, batch: Batch) -> Outputs:
        """Call one snap after the other.

        Most snaps give one batch for one; as long as they do, it goes from snap to snap right here.
        """
        index = 0
        while True:
            member = self._members[index]
            if len(batch.items) > member.limit:
                yield from self._pass_on(self._in_slices(member, view, batch))
                return
            try:
                emission = member.call(view, batch)
            except (Exception, SystemExit) as error:  # noqa: BLE001  # `recover` names the snap
                outputs = member.recover(view, batch, error)
                yield from self._pass_on(self._accounted(member, batch, outputs))
                return
            if emission.__class__ is not Batch or not member.has_only_output:
                outputs = member.results(view, batch, emission)
                yield from self._pass_on(self._accounted(member, batch, outputs))
                return
            if self._ledger is not None and emission.lineage is not batch.lineage:
                self._ledger.enter(emission.complete_lineage())
                self._ledger.leave(batch.complete_lineage())
            if not emission.items:
                return
            port = member.pass_on(len(batch.items), emission)
            target = self._inside.get(port)
            if target is None:
                yield port, emission
                return
            index, view = target
            batch = emission

    def finish(self) -> Outputs:
        """The last items of the snaps, in order, once every input has ended."""
        for member in self._members:
            yield from self._pass_on(self._accounted(member, None, member.finish()))

    def end_of_run(self) -> Outputs:
        """What the first snap emits after a run of neighbours."""
        first = self._members[0]
        return self._pass_on(self._accounted(first, None, first.end_of_run()))

    def interrupt(self) -> None:
        """Make a blocked call return soon, and the next one fail. Called from another thread."""
        self._interrupted = True
        for member in self._members:
            member.interrupt()

    def close(self) -> None:
        """Close every snap that was created, whatever happened."""
        failures = [failure for member in self._members if (failure := member.close())]
        if failures:
            raise failures[0]

    def _process(self, index: int, view: str, batch: Batch) -> Outputs:
        member = self._members[index]
        if len(batch.items) > member.limit:
            return self._in_slices(member, view, batch)
        return self._accounted(member, batch, member.process(view, batch))

    def _in_slices(self, member: Member, view: str, batch: Batch) -> Outputs:
        if member.counts_exactly:
            yield from joined(self._one_by_one(member, view, batch))
            return
        start, count = 0, len(batch.items)
        while start < count:
            end = min(start + member.limit, count)
            piece = batch.at(range(start, end))
            yield from self._accounted(member, piece, member.process(view, piece))
            yield PAUSE
            start = end

    def _one_by_one(self, member: Member, view: str, batch: Batch) -> Outputs:
        since = perf_counter()
        for position in range(len(batch)):
            one = batch.at([position])
            yield from self._accounted(member, one, member.process(view, one))
            if perf_counter() - since > SLICE_SECONDS:
                yield PAUSE
                since = perf_counter()

    def _accounted(self, member: Member, batch: Batch | None, outputs: Outputs) -> Outputs:
        """The outputs of one call, shown to the watcher and entered in the ledger; only then does
        the input batch leave it.

        Otherwise, a request could be settled by its first output while others are still to come.
        """
        ledger = self._ledger
        for port, given in outputs:
            if given.items:
                member.tell(port, given)
                if ledger is not None:
                    ledger.enter(given.complete_lineage())
            yield port, given
        if ledger is not None:
            member.context.leave_ledger(batch)

    def _pass_on(self, outputs: Outputs) -> Outputs:
        """The outputs that leave the stage; others go through the following snaps, in order."""
        pending = [outputs]
        while pending:
            if self._interrupted:
                raise ExecutionError("the run is ending; the remaining documents are not processed")
            port, batch = next(pending[-1], _NOTHING)
            if port is None:
                pending.pop()
            elif port in self._inside:
                pending.append(self._process(*self._inside[port], batch))
            else:
                yield port, batch


def _member(label: str, registry: Registry, execution: Execution, cuts: bool) -> Member:
    if execution.tracer is None:
        return Member(label, registry, execution, cuts=cuts)
    from engine.run.traced_member import TracedMember  # only where traces are on

    return TracedMember(label, registry, execution, execution.tracer, cuts=cuts)


def _fused_run(
    members: Sequence[Member], execution: Execution, plainly: Plainly
) -> FusedRun | RowRun:
    """What runs these snaps as one; many stages have nothing to fuse, so it is imported here."""
    if isinstance(members[0].plan.steps[0], DecodeRows):
        from engine.run.fused_rows import RowRun

        return RowRun(members, plainly)
    from engine.run.fused import FusedRun

    return FusedRun(members, execution.plan, plainly)


_NOTHING: tuple[Any, Any] = (None, None)
