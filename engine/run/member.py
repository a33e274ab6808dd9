"""One snap of a stage: calls it with batches, measures and counts, and names it in failures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from time import perf_counter
from typing import Any, NoReturn

from engine.documents import Batch
from engine.errors import (
    ConfigurationError,
    DataError,
    EngineError,
    ExecutionError,
    SnapFailedError,
)
from engine.plan.plan import Port
from engine.registry import Registry
from engine.run.context import SnapContext
from engine.run.execution import Execution
from engine.run.file_checks import check_files
from engine.run.outputs import PAUSE, Outputs, joined, lineage_or_none, streams_in
from engine.run.ownership import Owner, owner_of
from engine.run.report import SnapStatistics
from engine.run.services import Crossed
from engine.run.slices import MAX_ITEMS, SliceSize
from engine.sdk.plain_values import plain
from engine.sdk.results import Collected, Emission, wrong_result, wrong_view
from engine.sdk.snap import Snap
from engine.sdk.views import ERROR_VIEW

_Failing = Callable[[DataError], None] | None
_RESULTS = "it must return a Batch, a map of view to Batch, or an iterable of such maps"


class Member:
    """A snap with its context and statistics. It gets at most `limit` items per call.

    `counts_exactly`: it gets one document after the other, since its expressions see their number.
    """

    def __init__(self, label: str, registry: Registry, execution: Execution, *, cuts: bool) -> None:
        self.plan = plan = execution.snap(label)
        self._pipeline = execution.plan
        self._class = registry[plan.type]
        self.statistics = SnapStatistics(
            label,
            plan.type,
            inputs={view.name: 0 for view in plan.inputs},
            outputs={view.name: 0 for view in (*plan.outputs, ERROR_VIEW)},
        )
        self.context = SnapContext(execution, plan, self._class, self.statistics)
        self._in, self._out = self.context.info["in"], self.context.info["out"]
        self._in_ultra = execution.ledger is not None
        self._crossed = execution.services.crossed
        self._is_observed = self._crossed is not None
        self.tapped: frozenset[str] = frozenset()
        """The output views that a tap watches."""
        self._made: Snap[Any] | None = None
        self._ports = {view.name: Port(label, view.name) for view in plan.outputs}
        declared = self._class.views_for(plan.settings).outputs
        self._unlinked = {view.name for view in declared if view.optional} - self._ports.keys()
        self._error_port = Port(label, ERROR_VIEW.name)
        self._document_inputs = any(view.type == "document" for view in plan.inputs)
        self._binary_outputs = {view.name for view in plan.outputs if view.type == "binary"}
        self._default = plan.outputs[0].name if plan.outputs else ""
        self._by_document = self._class.process_batch is Snap.process_batch
        self._checks = not plan.facts.plain and not self._by_document  # whose Collected checks them
        self.counts_exactly = plan.sees_counts
        self._slices: SliceSize | None = None
        self.limit = 1 if self.counts_exactly else MAX_ITEMS
        if cuts and not (plan.facts.flows or self.counts_exactly):
            self._slices = SliceSize()
            self.limit = self._slices.items
        self._owner: Owner | None = None
        self._is_open = False
        self._longest_step = 0.0
        self._before = (0, 0)

    @property
    def snap(self) -> Snap[Any]:
        assert self._made is not None  # open() was called
        return self._made

    def open(self) -> None:
        """Create and open the snap. There is no document yet to which `on_error` could apply."""
        self._made = self._guarded(lambda: self._class(self.plan.settings, self.context), None)
        self._guarded(self.snap.open, None)
        self._guarded(lambda: check_files(type(self.snap), self.plan, self.context), None)
        self._is_open = True
        facts = self.plan.facts
        self._owner = owner_of(
            self.plan,
            self._pipeline,
            expressions_change=self.context.opened(),
            repeats=not (self._by_document or facts.stateful) and facts.replayable,
            watched=self._is_observed,
        )

    def watch(self, views: frozenset[str], crossed: Crossed | None) -> None:
        """Call `crossed` for every batch that leaves; `views` are those that a tap watches."""
        self.tapped, self._crossed = views, crossed

    def tell(self, port: Port, batch: Batch) -> None:
        """Show a batch that has left, and not a pause, to the watcher, if there is one.

        No method that handles failures of the snap calls this: what a watcher raises is no failure
        of the snap, so it ends the run as it is, whatever `on_error` says.
        """
        if (crossed := self._crossed) is not None and batch.items:
            crossed(port, batch)

    def start(self) -> Outputs:
        return self._run(lambda: self._gathered(self.snap.start(), "start"))

    def finish(self) -> Outputs:
        yield from self._run(
            lambda: self._gathered(self._last_items(), "finish"),
            lambda error: self.context.failed(error, None),
        )
        self.statistics.status = "completed"

    def _last_items(self) -> Iterable[Any]:
        items = self.snap.finish()
        if self.plan.facts.final == "once" and not self.context.execution.is_first_copy:
            for _ in items:
                continue  # the snap may have more to do than to emit
            return ()
        return items

    def end_of_run(self) -> Outputs:
        return self._run(lambda: self._gathered(self.snap.end_of_run(), "end_of_run"))

    @property
    def holds_back(self) -> bool:
        return self._is_open and self.snap.holds_back

    @property
    def kinds(self) -> Mapping[str, str]:
        return self.snap.kinds() if self._is_open else {}

    def interrupt(self) -> None:
        if self._made is not None:
            self._made.interrupt()

    def close(self) -> EngineError | None:
        """Close the snap; returns the error, if any. A snap whose `open` failed, which is the
        error that counts, may well fail to close."""
        if self._made is None:
            return None
        try:
            self._made.close()
        except (Exception, SystemExit) as error:  # noqa: BLE001  # named, and raised by the host
            return self._named(error) if self._is_open else None
        finally:
            self.context.close()
        return None

    # A batch

    def call(self, view: str, batch: Batch) -> Emission:
        """Count a batch and return the snap's result for it. Raises whatever the snap raises."""
        statistics = self.statistics
        before = statistics.inputs[view]
        count = len(batch.items) if self._document_inputs else streams_in(batch)
        statistics.inputs[view] = before + count
        self._in["totalCount"] += count
        self._before = statistics.dropped, statistics.errors
        given = batch if self._owner is None else self._owner.own(batch)
        self.context.begin(view, batch, before, given)
        started = perf_counter()
        try:
            return self.snap.process_batch(view, given)
        finally:
            self._longest_step = elapsed = perf_counter() - started
            statistics.seconds += elapsed

    @property
    def has_only_output(self) -> bool:
        """Whether the last call has nothing to report besides a batch for the first output."""
        context = self.context
        held_or_released = context.held_lineage or context.released_lineage
        return not (
            context.error_documents or held_or_released or not self._default or self._checks
        )

    def pass_on(self, given: int, batch: Batch) -> Port:
        """Count the result of a call with `given` items; returns its port."""
        if self._slices is not None:
            self._learn(given)
        port = self._count_out(self._default, batch)
        self.tell(port, batch)
        return port

    def process(self, view: str, batch: Batch) -> Outputs:
        """The outputs for a batch; the snap is called when the first one is requested."""
        try:
            emission = self.call(view, batch)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # the failing snap is named there
            return self.recover(view, batch, error)
        return self.results(view, batch, emission)

    def results(self, view: str, batch: Batch, emission: Emission) -> Outputs:
        """The outputs in the result of a call, which may be lazy."""
        given = False
        try:
            for output in self._spread(emission, None):
                given = given or output is not PAUSE
                yield output
        except (Exception, SystemExit) as error:  # noqa: BLE001  # the failing snap is named there
            if given or self._by_document:
                self._fail(error)
            yield from self.recover(view, batch, error)
        else:
            self._learn(len(batch.items))

    def recover(self, view: str, batch: Batch, error: BaseException) -> Outputs:
        """Handle a call that failed without output.

        A stateless snap cannot have been harmed. It gets the documents again, one by one, so that
        those before the failure are delivered, and the failure affects only its own document.
        """
        if not self._document_inputs or self.plan.facts.stateful or not self.plan.facts.replayable:
            self._fail(error)
        if len(batch) > 1:
            self._forget(view, len(batch))
            one_by_one = (self.process(view, batch.at([i])) for i in range(len(batch)))
            yield from joined(chain.from_iterable(one_by_one))
            return
        try:
            self.context.broke(error, batch.items[0], batch.lineage_of(0))
        except SnapFailedError as failure:
            self._fail(failure)
        yield from self._errors()

    def _forget(self, view: str, count: int) -> None:
        """Undo the counts of the current call."""
        statistics = self.statistics
        statistics.inputs[view] -= count
        self._in["totalCount"] -= count
        statistics.dropped, statistics.errors = self._before
        self.context.error_documents, self.context.error_lineage = [], []

    def _learn(self, items: int) -> None:
        if self._slices is not None:
            self._slices.learn(items, self._longest_step)
            self.limit = self._slices.items

    def passed_in(self, view: str, count: int) -> None:
        """Count documents that were processed without a call of the snap."""
        if view:
            self.statistics.inputs[view] += count
            self._in["totalCount"] += count

    def passed_out(self, view: str, count: int) -> None:
        """Count results that were made without a call of the snap."""
        if view:
            self.statistics.outputs[view] += count
            self._out["totalCount"] += count

    def passed_failures(self, count: int) -> None:
        """Count documents that failed without a call of the snap."""
        self.passed_in(self.plan.inputs[0].name, count)
        self.statistics.errors += count
        if self.plan.on_error == "route":
            self.context.info["error"]["totalCount"] = self.statistics.errors
            self.statistics.outputs[ERROR_VIEW.name] += count

    # Results of the snap

    def _run(self, call: Callable[[], Any], on_data_error: _Failing = None) -> Outputs:
        """Call the snap, measure the time, and convert its result to (port, batch) pairs.

        A DataError from the call stops the pipeline unless `on_data_error` handles it, because it
        is unclear which documents it affects.
        """
        started = perf_counter()
        emission = self._guarded(call, on_data_error)
        self.statistics.seconds += perf_counter() - started
        try:
            yield from self._spread(emission, on_data_error)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # here the failing snap is named
            self._fail(error)

    def _spread(self, emission: Any, on_data_error: _Failing) -> Outputs:
        """The result of the snap as (port, batch) pairs."""
        if emission.__class__ is Batch:
            yield from self._emit({self._default: emission})
        elif isinstance(emission, Mapping):
            yield from self._emit(emission)
        elif isinstance(emission, Iterable) and not isinstance(emission, str | bytes):
            yield from self._run_through(iter(emission), on_data_error)
        elif emission is not None:
            raise self._refused(f"returned {type(emission).__name__!r}")
        yield from self._errors()

    def _run_through(
        self, emission: Iterator[Mapping[str, Batch]], on_data_error: _Failing
    ) -> Outputs:
        while True:
            started = perf_counter()
            try:
                batches = next(emission, None)
            except DataError as error:
                if on_data_error is None:
                    raise
                on_data_error(error)
                batches = None
            finally:
                elapsed = perf_counter() - started
                self.statistics.seconds += elapsed
                self._longest_step = max(self._longest_step, elapsed)
            if batches is None:
                return
            if not isinstance(batches, Mapping):
                raise self._refused(f"yielded {type(batches).__name__!r}")
            if not batches:
                yield PAUSE
            yield from self._emit(batches)
            yield from self._errors()
            if self.context.released_lineage:
                self.context.leave_ledger()  # all outputs so far have entered the ledger

    def _emit(self, batches: Mapping[str, Batch]) -> Outputs:
        for view, batch in batches.items():
            if view in self._unlinked:
                continue
            if batch.__class__ is not Batch:
                raise self._refused(f"returned {type(batch).__name__!r} for the view {view!r}")
            if view not in self._ports:
                raise wrong_view(self.snap, "process_batch", "batch", view)
            if batch.items:
                given = self._checked(batch) if self._checks else batch
                yield self._count_out(view, given), given

    def _checked(self, batch: Batch) -> Batch:
        """The batch with plain documents. Raises NotPlainError."""
        return batch.with_items(
            [plain(item) if isinstance(item, Mapping) else item for item in batch.items]
        )

    def _count_out(self, view: str, batch: Batch) -> Port:
        count = streams_in(batch) if view in self._binary_outputs else len(batch.items)
        self.statistics.outputs[view] += count
        self._out["totalCount"] += count
        return self._ports[view]

    def _errors(self) -> Outputs:
        context = self.context
        if context.error_documents:
            batch = Batch(context.error_documents, lineage_or_none(context.error_lineage))
            context.error_documents, context.error_lineage = [], []
            context.info["error"]["totalCount"] = self.statistics.errors
            self.statistics.outputs[ERROR_VIEW.name] += len(batch)
            yield self._error_port, batch

    def _gathered(self, result: Any, method: str) -> Iterator[Mapping[str, Batch]]:
        """The individual items from `start` or `finish`, as batches."""
        checks = not self.plan.facts.plain and not self._checks
        return Collected(self.snap, method, self._in_ultra, checks=checks).batches(result)

    # Failures

    def _guarded(self, call: Callable[[], Any], on_data_error: _Failing) -> Any:
        """Call into the snap; errors name the snap."""
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

    def _refused(self, what: str) -> ExecutionError:
        """The error for a bug in the snap: a result that is not a batch, or not made of any."""
        return wrong_result(self.snap, "process_batch", f"{what}; {_RESULTS}")

    def _fail(self, error: BaseException) -> NoReturn:
        self.statistics.status = "failed"
        self.context.give_back_unread()
        named = self._named(error)
        if named is error:
            raise named
        raise named from self.context.shown_cause(error)

    def _named(self, error: BaseException) -> EngineError:
        if isinstance(error, SnapFailedError):
            return error
        if isinstance(error, ConfigurationError):
            return ConfigurationError(str(self.context.failure(error)))
        return self.context.failure(error)
