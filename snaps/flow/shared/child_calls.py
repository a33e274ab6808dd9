"""Calls of other pipelines: parameters for each run, retries, and stopping what runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from threading import Event, Lock
from typing import Any

from engine.sdk import (
    NO_LINEAGE,
    ChildPipeline,
    ChildRun,
    Context,
    DataError,
    Document,
    Evaluated,
    ExecutionError,
    Item,
    Lineage,
    To,
)

Rows = Sequence[tuple[Document, Lineage]]
"""The documents of one run, with the requests that they come from."""


def answers(context: Context, rows: Rows, results: Iterable[Item]) -> Iterator[To]:
    """What a run for these rows emits; if it fails, that is an error of each row."""
    lineage = rows[0][1]
    answered = False
    try:
        for item in results:
            answered = True
            yield To("", item, lineage)
    except DataError as error:
        for row, line in rows:
            context.failed(error, row, line)
    else:
        if not answered:
            context.dropped(len(rows), [line for _, line in rows])


def fatal(error: DataError) -> ExecutionError:
    """The same error for a run that all documents share."""
    return ExecutionError("; ".join(filter(None, (str(error), error.resolution))))


_ALTERNATIVES = {
    "inputs": "",
    "outputs": ", or set 'open_output: false' in the snaps whose documents are not its result",
}


class ChildCalls:
    """Starts runs for one snap, from any number of threads, and stops them when it is interrupted.

    `parameters` are evaluated for the first document of each run. A value that depends on the
    document, or on a parameter that counts as data, counts as data: it cannot lead a file's name
    out of the child's folder.
    """

    def __init__(
        self,
        context: Context,
        pipeline: Evaluated[str],
        parameters: Mapping[str, Evaluated[Any]],
        label: Evaluated[str] | None = None,
        timeout: float | None = None,
    ) -> None:
        self._context = context
        self._pipeline = pipeline
        self._parameters = parameters
        self._label = label
        self._timeout = timeout
        self._from_data = frozenset(
            name for name, value in parameters.items() if context.depends_on_data(value)
        )
        self._running: set[ChildRun] = set()
        self._lock = Lock()
        self._stopped = Event()

    def child_for(self, document: Document) -> ChildPipeline:
        """The pipeline for a document, with at most one open input and output; or DataError."""
        name = self._context.file(self._pipeline, document)
        child = self._context.pipelines.find(name)
        for views, what in ((child.inputs, "inputs"), (child.outputs, "outputs")):
            if len(views) > 1:
                names = ", ".join(view.name for view in views)
                raise DataError(
                    f"could not run the pipeline {child.name!r}",
                    f"it has {len(views)} open {what}: {names}",
                    f"link all of its {what} but one" + _ALTERNATIVES[what],
                )
        return child

    def start(
        self, child: ChildPipeline, document: Document, lineage: Lineage = NO_LINEAGE
    ) -> ChildRun:
        """Start a run for the request of this lineage. Raises DataError if a parameter is wrong."""
        values = {
            name: self._context.value(value, document) for name, value in self._parameters.items()
        }
        label = self._context.value(self._label, document) if self._label else ""
        with self._lock:
            if self._stopped.is_set():
                raise ExecutionError(f"the pipeline {child.name!r} was stopped")
            run = child.start(
                values,
                from_data=self._from_data,
                label=f"{label} " if label else "",
                timeout=self._timeout,
                lineage=lineage,
            )
            self._running.add(run)
        return run

    def ended(self, run: ChildRun) -> None:
        """A run has ended, or nobody waits for it."""
        with self._lock:
            self._running.discard(run)
        run.stop()

    def results(
        self,
        child: ChildPipeline,
        document: Document,
        items: Sequence[Item],
        lineage: Lineage = NO_LINEAGE,
    ) -> Iterator[Item]:
        """What a run emits for these items. Without an open input, the items only feed parameters.

        A child without an open output emits one document that tells how the run ended.
        """
        run = self.start(child, document, lineage)
        try:
            for _, emitted in run.exchange(items if child.inputs else (), last=True):
                yield from emitted
            if not child.outputs:
                yield {"run_id": run.run_id, "state": "COMPLETED"}
        finally:
            self.ended(run)

    def wait(self, seconds: float) -> None:
        """Wait before another try; returns early when the snap is interrupted."""
        self._stopped.wait(seconds)

    def stop(self) -> None:
        """Stop all runs, and start no more."""
        with self._lock:
            self._stopped.set()
            running = list(self._running)
        for run in running:
            run.stop()
