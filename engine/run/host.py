"""The stage host: opens the snaps of one stage and feeds them batches.

Its narrow interface - `open`, `start`, `process`, `finish`, `close` - is all that a runner knows of
snaps: the local runtime, an instance process and a cluster worker use this one class. What a call
gives back is produced lazily, piece by piece, so that one huge file does not fill the memory while
the next stage waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from time import perf_counter
from typing import Any, NoReturn

from engine.documents import Batch, StreamStart
from engine.errors import (
    ConfigurationError,
    DataError,
    EngineError,
    ExecutionError,
    SnapFailedError,
)
from engine.plan.plan import Port, Stage
from engine.registry import Registry
from engine.run.context import SnapContext
from engine.run.execution import Execution
from engine.run.report import SnapStatistics
from engine.sdk.snap import Collected, Emission, Snap

Outputs = Iterator[tuple[Port, Batch]]


class StageHost:
    """The snaps of one stage, fed from outside through the input views of the first."""

    def __init__(self, stage: Stage, registry: Registry, execution: Execution) -> None:
        self._members = [_Member(label, registry, execution) for label in stage.labels]
        self._ledger = execution.ledger
        self._inside = {
            port: (target.place, target.view)
            for port, target in execution.plan.routes.inside(stage).items()
        }

    @property
    def statistics(self) -> list[SnapStatistics]:
        return [member.statistics for member in self._members]

    def open(self) -> None:
        """Make and open the snaps. Raises SnapFailedError."""
        for member in self._members:
            member.open()

    def start(self) -> Outputs:
        """What the snaps emit before their first input."""
        for member in self._members:
            yield from self._pass_on(self._accounted(member, None, member.run(member.start)))

    def process(self, view: str, batch: Batch) -> Outputs:
        """What a batch for an input view of the stage's first snap leads to.

        Most snaps give one batch for one; as long as they do, it goes from snap to snap right here.
        """
        index = 0
        while True:
            member = self._members[index]
            member.count_in(batch)
            try:
                emission = member.call(view, batch)
            except SnapFailedError as failure:
                yield from self._pass_on(self._outputs(member, view, batch, _failing(failure)))
                return
            if emission.__class__ is not Batch or not member.only_hands_on:
                outputs = member.spread(emission)
                yield from self._pass_on(self._outputs(member, view, batch, outputs))
                return
            if self._ledger is not None and emission.lineage is not batch.lineage:
                self._ledger.enter(emission.whole_lineage())
                self._ledger.leave(batch.whole_lineage())
            if not emission.items:
                return
            port = member.count_out(emission)
            if port not in self._inside:
                yield port, emission
                return
            index, view = self._inside[port]
            batch = emission

    def finish(self) -> Outputs:
        """What the snaps held back, first to last. Every input has ended."""
        for member in self._members:
            outputs = member.run(member.finish, member.account)
            yield from self._pass_on(self._accounted(member, None, outputs))
            member.statistics.status = "completed"

    def interrupt(self) -> None:
        """Make a blocked call return soon. May be called from another thread."""
        for member in self._members:
            member.interrupt()

    def close(self) -> None:
        """Close every snap that was made, whatever happened."""
        failures = [failure for member in self._members if (failure := member.close())]
        if failures:
            raise failures[0]

    def _process(self, index: int, view: str, batch: Batch) -> Outputs:
        member = self._members[index]
        member.count_in(batch)
        return self._outputs(member, view, batch, member.process(view, batch))

    def _outputs(self, member: _Member, view: str, batch: Batch, outputs: Outputs) -> Outputs:
        if self._ledger is None:
            return outputs
        outputs = self._accounted(member, batch, outputs)
        if batch.lineage is not None and member.is_contained:
            return self._contained(member, view, batch, outputs)
        return outputs

    def _accounted(self, member: _Member, batch: Batch | None, outputs: Outputs) -> Outputs:
        """The outputs of one call, entered in the ledger; then the batch that went in leaves it.

        Not before: an output may come to its end while others are still to come.
        """
        ledger = self._ledger
        if ledger is None:
            yield from outputs
            return
        for port, given in outputs:
            ledger.enter(given.whole_lineage())
            yield port, given
        member.context.let_go(batch)

    def _contained(self, member: _Member, view: str, batch: Batch, outputs: Outputs) -> Outputs:
        """The outputs; a failure of the snap itself costs only the document in hand.

        A snap without state cannot have been harmed by it, so the pipeline need not stop.
        """
        given = False
        try:
            for output in outputs:
                given = True
                yield output
            return
        except SnapFailedError as failure:
            if len(batch) > 1:
                if given:
                    raise  # nobody can tell which documents it has cost
            elif lineage := batch.lineage_of(0):
                member.context.give_up(failure, lineage)
            else:
                raise
        if len(batch) == 1:
            yield from self._accounted(member, batch, iter(()))  # it ends here
            return
        for position in range(len(batch)):
            alone = batch.at([position])
            yield from self._outputs(member, view, alone, member.process(view, alone))

    def _pass_on(self, outputs: Outputs) -> Outputs:
        """What leaves the stage; what stays inside goes through the snaps that follow, in order."""
        pending = [outputs]
        while pending:
            port, batch = next(pending[-1], _NOTHING)
            if port is None:
                pending.pop()
            elif port in self._inside:
                pending.append(self._process(*self._inside[port], batch))
            else:
                yield port, batch


_NOTHING: tuple[Any, Any] = (None, None)


class _Member:
    """One snap of the stage with its context and its accounts."""

    def __init__(self, label: str, registry: Registry, execution: Execution) -> None:
        self.plan = execution.snap(label)
        self.statistics = SnapStatistics(label, self.plan.type)
        self.context = SnapContext(execution, self.plan, self.statistics)
        self._in, self._out = self.context.info["in"], self.context.info["out"]
        self._class = registry[self.plan.type]
        self._in_ultra = execution.ledger is not None
        self._made: Snap[Any] | None = None
        self._ports = {view.name: Port(label, view.name) for view in self.plan.outputs}
        declared = self._class.views_for(self.plan.settings).outputs
        self._unlinked = {view.name for view in declared if view.optional} - self._ports.keys()
        self._error_port = Port(label, "error")
        self._document_inputs = any(view.type == "document" for view in self.plan.inputs)
        self._binary_outputs = {view.name for view in self.plan.outputs if view.type == "binary"}
        self._default = self.plan.outputs[0].name if self.plan.outputs else ""

    @property
    def snap(self) -> Snap[Any]:
        assert self._made is not None  # open() was called
        return self._made

    def open(self) -> None:
        """Make and open the snap. There is no document yet that `on_error` could decide on."""
        self._made = self._guarded(lambda: self._class(self.plan.settings, self.context), None)
        self._guarded(self.snap.open, None)

    @property
    def is_contained(self) -> bool:
        """Whether a failure while it processes documents cannot have harmed it."""
        return self._document_inputs and not self.plan.facts.stateful

    @property
    def only_hands_on(self) -> bool:
        """Whether the last call gave a batch for the first output, and nothing else is to tell."""
        context = self.context
        held_or_released = context.held_lineage or context.released_lineage
        return not (context.error_documents or held_or_released or not self._default)

    def call(self, view: str, batch: Batch) -> Emission:
        """What the snap gives for a batch. Raises SnapFailedError."""
        started = perf_counter()
        try:
            return self.snap.process_batch(view, batch)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # here the failing snap is named
            self._fail(error)
        finally:
            self.statistics.seconds += perf_counter() - started

    def process(self, view: str, batch: Batch) -> Outputs:
        """As `call`, but the call is made when the first output is asked for."""
        yield from self.spread(self.call(view, batch))

    def start(self) -> Any:
        return self._gathered(self.snap.start(), "start")

    def finish(self) -> Any:
        return self._gathered(self.snap.finish(), "finish")

    def interrupt(self) -> None:
        if self._made is not None:
            self._made.interrupt()

    def close(self) -> EngineError | None:
        """Close the snap; what went wrong, if anything."""
        if self._made is None:
            return None
        try:
            self._made.close()
        except (Exception, SystemExit) as error:  # noqa: BLE001  # named, and raised by the host
            return self._named(error)
        return None

    def count_in(self, batch: Batch) -> None:
        count = len(batch.items) if self._document_inputs else _streams(batch)
        self.statistics.documents_in += count
        self._in["totalCount"] += count

    def count_out(self, batch: Batch, view: str = "") -> Port:
        """Count a batch for a view, the first one unless said otherwise; the port of that view."""
        view = view or self._default
        count = _streams(batch) if view in self._binary_outputs else len(batch.items)
        self.statistics.documents_out += count
        self._out["totalCount"] += count
        return self._ports[view]

    def account(self, error: DataError) -> None:
        """An error of no document in particular, which `on_error` may decide on all the same."""
        self.context.failed(error, None)

    def run(
        self, call: Callable[[], Any], on_data_error: Callable[[DataError], None] | None = None
    ) -> Outputs:
        """Call the snap and bring whatever it gives into (port, batch), with the clock running.

        A DataError that leaves the call stops the pipeline unless `on_data_error` takes it: nobody
        can tell which documents it has cost.
        """
        started = perf_counter()
        emission = self._guarded(call, on_data_error)
        self.statistics.seconds += perf_counter() - started
        yield from self.spread(emission, on_data_error)

    def spread(
        self, emission: Any, on_data_error: Callable[[DataError], None] | None = None
    ) -> Outputs:
        """Whatever the snap has given, as (port, batch)."""
        if emission.__class__ is Batch:
            yield from self._emit({self._default: emission})
        elif isinstance(emission, Mapping):
            yield from self._emit(emission)
        elif isinstance(emission, Iterable) and not isinstance(emission, str | bytes):
            yield from self._run_through(iter(emission), on_data_error)
        elif emission is not None:
            raise self._refused(emission)
        yield from self._errors()

    def _run_through(
        self,
        emission: Iterator[Mapping[str, Batch]],
        on_data_error: Callable[[DataError], None] | None,
    ) -> Outputs:
        while True:
            started = perf_counter()
            batches = self._guarded(lambda: next(emission, None), on_data_error)
            self.statistics.seconds += perf_counter() - started
            if batches is None:
                return
            if not isinstance(batches, Mapping):
                raise self._refused(batches)
            yield from self._emit(batches)
            yield from self._errors()
            if self.context.released_lineage:
                self.context.let_go()  # all that was given until now has entered the ledger

    def _emit(self, batches: Mapping[str, Batch]) -> Outputs:
        for view, batch in batches.items():
            if view in self._unlinked:
                continue
            port = self._ports.get(view)
            if port is None or batch.__class__ is not Batch:
                raise self._refused(batch, view)
            if batch.items:
                self.count_out(batch, view)
                yield port, batch

    def _refused(self, emission: Any, view: str = "") -> SnapFailedError:
        """A mistake of the snap's author: an unknown view, or no batch at all."""
        self.statistics.status = "failed"
        known = ", ".join(self._ports) or "none"
        if view and view not in self._ports:
            text = f"it gave something for the view {view!r}; its output views are: {known}"
        else:
            kind = type(emission).__name__
            text = f"it gave a {kind} where a Batch, or a map of view to Batch, must be given"
        return self.context.failure(ExecutionError(f"{text}\n{_MISTAKE_IN_SNAP}"))

    def _errors(self) -> Outputs:
        context = self.context
        if context.error_documents:
            batch = Batch(context.error_documents, _lineage_or_none(context.error_lineage))
            context.error_documents, context.error_lineage = [], []
            context.info["error"]["totalCount"] = self.statistics.errors
            yield self._error_port, batch

    def _gathered(self, result: Any, method: str) -> Iterator[Mapping[str, Batch]]:
        """The items that `start` or `finish` gives one by one, as batches."""
        giver = f"{method} of {self.plan.type}"
        return Collected(self._default, self._in_ultra, giver).batches(result)

    def _guarded(
        self, call: Callable[[], Any], on_data_error: Callable[[DataError], None] | None
    ) -> Any:
        """Call into the snap; whatever goes wrong names it."""
        try:
            try:
                return call()
            except DataError as error:
                if on_data_error is None:
                    raise
                on_data_error(error)
                return None
        except (Exception, SystemExit) as error:  # noqa: BLE001  # here the failing snap is named
            self._fail(error)

    def _fail(self, error: BaseException) -> NoReturn:
        self.statistics.status = "failed"
        if isinstance(error, SnapFailedError):
            raise error
        raise self._named(error) from self.context.shown_cause(error)

    def _named(self, error: BaseException) -> EngineError:
        if isinstance(error, ConfigurationError):
            return ConfigurationError(str(self.context.failure(error)))
        if isinstance(error, EngineError):
            return self.context.failure(error)
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return self.context.failure(ExecutionError(f"{text}\n{_MISTAKE_IN_SNAP}"))


_MISTAKE_IN_SNAP = "  this is a mistake in the snap itself, not in your pipeline"


def _failing(failure: SnapFailedError) -> Outputs:
    raise failure
    yield  # so that it fails when the first output is asked for


def _streams(batch: Batch) -> int:
    return sum(1 for piece in batch.items if piece.__class__ is StreamStart)


def _lineage_or_none(lineage: list[Any]) -> list[Any] | None:
    return lineage if any(lineage) else None
