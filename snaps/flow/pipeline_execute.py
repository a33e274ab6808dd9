"""Run another pipeline: for each document, for batches of documents, or for the whole stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, Literal

from engine.sdk import (
    Batch,
    ChildReference,
    ChildRun,
    DataError,
    Document,
    EndlessCallsError,
    Evaluated,
    Example,
    ExecutionError,
    Foreign,
    Issue,
    Item,
    Settings,
    Snap,
    StreamEnd,
    StreamStart,
    To,
    View,
    Views,
    setting,
)
from snaps.flow.shared.child_calls import ChildCalls, Rows, answers, fatal

Kind = Literal["document", "binary"]

_DOUBLE = """
parameters: {unit: {required: true}}
snaps:
  double: {snap: Mapper, mappings: {$text: "$n * 2 + ' ' + _unit"}}
"""


class PipelineExecuteSettings(Settings):
    pipeline: Evaluated[str] = setting(
        help="The pipeline file, relative to this one; `.yaml` may be left out.",
        example="clean_order.yaml",
    )
    parameters: dict[str, Evaluated[Any]] = setting(
        default={},
        help="Parameter to value, for each run. A value that is not a string reaches the pipeline "
        "as JSON text.",
        example={"order": "= $id"},
    )
    execution_label: Evaluated[str] = setting(
        default=Evaluated(value=""),
        help="Name of a run in the lines that it shows; by default, the label of this snap.",
        example="= 'order ' + $id",
    )
    reuse: bool = setting(
        default=False,
        help="Keep one run (or `pool_size` runs) for all documents, which then stream through it. "
        "Its parameters come from the first document.",
    )
    batch_size: int = setting(default=1, help="Documents for each run, unless it is reused.")
    pool_size: int = setting(
        default=1, help="Runs at the same time; with more than one, the order of results is lost."
    )
    retries: int = setting(
        default=0, help="How often a run that fails is repeated, unless it is reused."
    )
    retry_interval: float = setting(default=0.0, help="Seconds before a run is repeated.")
    timeout: float | None = setting(
        default=None, help="Time limit for one run, in seconds. By default, there is no limit."
    )
    input_type: Kind = setting(
        default="document", help="What the open input of the pipeline takes: documents or a stream."
    )
    output_type: Kind = setting(
        default="document",
        help="What the open output of the pipeline emits: documents or binary streams.",
    )


class PipelineExecute(Snap[PipelineExecuteSettings]):
    since = "0.4.0"
    about = """
    The other pipeline may have at most one open input, which gets the documents, and at most one
    open output, whose documents leave here. Each gets the field `original`: the document for which
    the pipeline ran, or a list of them if `batch_size` is more than 1. Of a pipeline without an
    open output, a run leaves one document `{run_id, state, original}`. A reused run adds nothing.

    A run that fails is an error of its documents. Runs at the same time may write the same file:
    a stream is never mixed with another, and the last one to end replaces the others; with
    `file_action: append`, all are kept one after another.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-flow-pipeexec",
        "Pipeline Execute",
        settings={
            "pipeline": "pipeline",
            "params[].paramName": "parameters[].key",
            "params[].paramValue": "parameters[].value",
            "execLabel": "execution_label",
            "reuse": "reuse",
            "batchSize": "batch_size",
            "poolSize": "pool_size",
            "retryLimit": "retries",
            "retryInterval": "retry_interval",
            "timeout": "timeout",
        },
        choices={"timeout": {"0": None}},
        ignored=("snaplexGovernor", "snaplex", "loopDocument"),
        pipelines=("pipeline",),
        version=1,
    )
    stateful = True
    blocking = True
    flows = True
    replayable = False
    keeps_order = False
    plain = True
    changes_input = False
    loses_lineage = ""
    examples = (
        Example(
            "a pipeline runs for each document",
            settings={"pipeline": "double.yaml", "parameters": {"unit": "= $unit"}},
            files={"double.yaml": _DOUBLE},
            given=[{"n": 2, "unit": "kg"}, {"n": 5, "unit": "m"}],
            expect=[
                {"text": "4 kg", "original": {"n": 2, "unit": "kg"}},
                {"text": "10 m", "original": {"n": 5, "unit": "m"}},
            ],
        ),
        Example(
            "all documents stream through one run",
            settings={"pipeline": "double.yaml", "reuse": True, "parameters": {"unit": "= $unit"}},
            files={"double.yaml": _DOUBLE},
            given=[{"n": 2, "unit": "kg"}, {"n": 5, "unit": "m"}],
            expect=[{"text": "4 kg"}, {"text": "10 kg"}],
        ),
    )

    @classmethod
    def views_for(cls, settings: PipelineExecuteSettings) -> Views:
        return Views((View("input", settings.input_type),), (View("output", settings.output_type),))

    @classmethod
    def loses_lineage_for(cls, settings: PipelineExecuteSettings) -> str:
        if settings.reuse:
            return "streams documents through one run; set reuse to false"
        if settings.batch_size > 1:
            return "runs the pipeline for several requests together; set batch_size to 1"
        return ""

    @classmethod
    def check(cls, settings: PipelineExecuteSettings) -> Iterable[Issue]:
        for name in ("batch_size", "pool_size"):
            if getattr(settings, name) < 1:
                yield Issue((name,), f"{name} must be at least 1, got {getattr(settings, name)}")
        for name in ("retries", "retry_interval"):
            if getattr(settings, name) < 0:
                yield Issue((name,), f"{name} must be 0 or more, got {getattr(settings, name)}")
        if settings.timeout is not None and settings.timeout <= 0:
            yield Issue(("timeout",), f"timeout must be greater than 0, got {settings.timeout}")
        if settings.input_type == "binary" and (settings.reuse or settings.batch_size > 1):
            hint = "leave out reuse and batch_size"
            yield Issue(("input_type",), "each binary stream has a run of its own", hint)

    @classmethod
    def children(cls, settings: PipelineExecuteSettings) -> Iterable[ChildReference]:
        yield ChildReference(
            ("pipeline",),
            settings.pipeline,
            parameters=frozenset(settings.parameters),
        )

    def open(self) -> None:
        settings = self.settings
        self._calls = ChildCalls(
            self.context,
            settings.pipeline,
            settings.parameters,
            settings.execution_label,
            settings.timeout,
        )
        self._waiting: Rows = []
        self._reused: list[ChildRun] = []
        self._turn = 0
        self._stream: ChildRun | None = None
        self._header: Document = {}
        pool = settings.pool_size if settings.pool_size > 1 and not settings.reuse else 0
        self._pool = ThreadPoolExecutor(pool) if pool else None

    def process_batch(self, view: str, batch: Batch) -> Iterator[Mapping[str, Batch]]:
        items: Iterable[Item | To]
        if self.settings.input_type == "binary":
            items = self._from_streams(batch)
        elif self.settings.reuse:
            items = self._exchanged(batch.items)
        else:
            rows = [(row, batch.lineage_of(place)) for place, row in enumerate(batch.items)]
            items = self._run_all(self._complete_groups(rows))
        return self._collected(batch, "process_batch").batches(items)

    def finish(self) -> Iterator[Item | To]:
        if self._waiting:
            yield from self._run_all([self._waiting])
        for run in self._reused:
            yield from _emitted_for_all(run.exchange(last=True))

    def interrupt(self) -> None:
        self._calls.stop()

    def close(self) -> None:
        self._calls.stop()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    # One run for each group of documents

    def _complete_groups(self, rows: Rows) -> list[Rows]:
        """Groups of `batch_size` rows; the rest waits for more."""
        size, waiting = self.settings.batch_size, [*self._waiting, *rows]
        complete = len(waiting) - len(waiting) % size
        self._waiting = waiting[complete:]
        return [waiting[start : start + size] for start in range(0, complete, size)]

    def _run_all(self, groups: Iterable[Rows]) -> Iterator[To]:
        """What the runs for the groups emit; a run that fails is an error of its rows."""
        for rows, results in self._outcomes(groups):
            yield from answers(self.context, rows, results)

    def _outcomes(self, groups: Iterable[Rows]) -> Iterator[tuple[Rows, Iterator[Item]]]:
        """Each group with its results, as they come; with a pool, those of complete runs."""
        if self._pool is None:
            yield from ((rows, self._results(rows)) for rows in groups)
            return
        jobs = {self._pool.submit(_attempt, self._results(rows)): rows for rows in groups}
        for job in as_completed(jobs):
            yield jobs[job], job.result()

    def _results(self, rows: Rows) -> Iterator[Item]:
        if not self.settings.retries:
            return self._once(rows)
        return self._repeated(rows)

    def _repeated(self, rows: Rows) -> Iterator[Item]:
        """The results of the first run that succeeds; those of the others are discarded."""
        for _ in range(self.settings.retries):
            try:
                return iter(list(self._once(rows)))
            except EndlessCallsError:
                raise
            except DataError:
                self._calls.wait(self.settings.retry_interval)
        return self._once(rows)

    def _once(self, rows: Rows) -> Iterator[Item]:
        documents = [row for row, _ in rows]
        child = self._calls.child_for(documents[0])
        for item in self._calls.results(child, documents[0], documents, rows[0][1]):
            yield self._with_original(item, documents)

    def _with_original(self, item: Item, documents: list[Document]) -> Item:
        started_by_itself = documents == [{}] and not self.context.linked("input")
        if not isinstance(item, dict) or started_by_itself:
            return item
        original = documents[0] if self.settings.batch_size == 1 else documents
        return {**item, "original": original}

    # One run, or a few, for all documents

    def _exchanged(self, documents: list[Document]) -> Iterator[Item]:
        """Pass documents to the reused runs in turn."""
        if not self._reused:
            self._reused = self._started(documents[0])
        count = len(self._reused)
        for place, run in enumerate(self._reused):
            share = documents[(place - self._turn) % count :: count]
            if share:
                yield from _emitted_for_all(run.exchange(share))
        self._turn = (self._turn + len(documents)) % count

    def _started(self, document: Document) -> list[ChildRun]:
        try:
            child = self._calls.child_for(document)
            if not child.inputs:
                raise DataError(
                    f"could not run the pipeline {child.name!r}",
                    "it has no open input, so documents cannot stream through it",
                    "set reuse to false",
                )
            return [self._calls.start(child, document) for _ in range(self.settings.pool_size)]
        except DataError as error:
            raise fatal(error) from error

    # One run for each binary stream

    def _from_streams(self, batch: Batch) -> Iterator[Item]:
        for piece in batch.items:
            if isinstance(piece, StreamStart):
                self._header = piece.header
                child = self._calls.child_for(self._header)
                self._stream = self._calls.start(child, self._header)
            if self._stream is None:
                continue  # the rest of a stream whose run has failed
            ends = isinstance(piece, StreamEnd)
            try:
                for item in _emitted(self._stream.exchange([piece], last=ends)):
                    yield self._with_original(item, [self._header])
            except DataError as error:
                self.context.failed(error, self._header)
                ends = True
            if ends:
                self._calls.ended(self._stream)
                self._stream = None


def _attempt(results: Iterator[Item]) -> Iterator[Item]:
    """Run to the end now; an error is raised when its place is reached."""
    items: list[Item] = []
    try:
        items += results
    except (DataError, ExecutionError) as error:
        return _and_then(items, error)
    return iter(items)


def _and_then(items: list[Item], error: Exception) -> Iterator[Item]:
    yield from items
    raise error


def _emitted(parts: Iterable[tuple[str, Iterable[Item]]]) -> Iterator[Item]:
    for _, items in parts:
        yield from items


def _emitted_for_all(parts: Iterable[tuple[str, Iterable[Item]]]) -> Iterator[Item]:
    """The same for a reused run: if it fails, which documents it has lost is unknown."""
    try:
        yield from _emitted(parts)
    except DataError as error:
        raise fatal(error) from error
