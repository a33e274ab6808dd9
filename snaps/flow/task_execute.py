"""Run the pipeline of a task for batches of documents, as calls of the task would."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine.sdk import (
    Batch,
    Document,
    Evaluated,
    Example,
    Foreign,
    Issue,
    Item,
    Lineage,
    Settings,
    Snap,
    To,
    setting,
)
from snaps.flow.shared.child_calls import ChildCalls, answers

_TASK = """
name: double
type: triggered
pipeline: double.yaml
parameters: {unit: kg}
"""
_DOUBLE = """
parameters: {unit: {}}
snaps:
  double: {snap: Mapper, mappings: {$text: "$n * 2 + ' ' + _unit"}}
"""


class TaskExecuteSettings(Settings):
    task: Evaluated[str] = setting(
        help="The task file, relative to this pipeline's file; `.yaml` may be left out.",
        example="tasks/double.yaml",
    )
    parameters: dict[str, Evaluated[Any]] = setting(
        default={},
        help="Parameter to value; they replace those of the task. A value that is not a string "
        "reaches the pipeline as JSON text.",
    )
    batch_size: int = setting(default=1000, help="Documents for each run.")


class TaskExecute(Snap[TaskExecuteSettings]):
    since = "0.4.0"
    about = """
    The pipeline of the task runs in this process, with the parameters of the task file. What it
    emits leaves here, unchanged. A run that fails is an error of its documents.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-flow-taskexecute",
        "Task Execute",
        settings={
            "taskPath": "task",
            "taskParams[].paramName": "parameters[].key",
            "taskParams[].paramValue": "parameters[].value",
            "batchSize": "batch_size",
        },
        ignored=("useOnPremisesUrl",),
        version=1,
    )
    stateful = True
    blocking = True
    flows = True
    replayable = False
    makes_files = True  # as the pipeline of the task may
    plain = True
    changes_input = False
    loses_lineage = ""
    examples = (
        Example(
            "the documents go through the task's pipeline",
            settings={"task": "double_task.yaml"},
            files={"double_task.yaml": _TASK, "double.yaml": _DOUBLE},
            given=[{"n": 2}, {"n": 5}],
            expect=[{"text": "4 kg"}, {"text": "10 kg"}],
        ),
    )

    @classmethod
    def loses_lineage_for(cls, settings: TaskExecuteSettings) -> str:
        if settings.batch_size == 1:
            return ""
        return "calls the task for several requests together; set batch_size to 1"

    @classmethod
    def check(cls, settings: TaskExecuteSettings) -> Iterable[Issue]:
        if settings.batch_size < 1:
            message = f"batch_size must be at least 1, got {settings.batch_size}"
            yield Issue(("batch_size",), message)

    def open(self) -> None:
        self._calls = ChildCalls(self.context, self.settings.task, self.settings.parameters)
        self._waiting: list[tuple[Document, Lineage]] = []

    def process_batch(self, view: str, batch: Batch) -> Iterator[Mapping[str, Batch]]:
        for place, row in enumerate(batch.items):
            self._waiting.append((row, batch.lineage_of(place)))
        return self._collected(batch, "process_batch").batches(
            self._answers(self.settings.batch_size)
        )

    def finish(self) -> Iterator[Item | To]:
        return self._answers(1)

    def interrupt(self) -> None:
        self._calls.stop()

    def close(self) -> None:
        self._calls.stop()

    def _answers(self, least: int) -> Iterator[Item | To]:
        """What runs emit for the waiting documents, as long as there are at least so many."""
        while len(self._waiting) >= least:
            rows = self._waiting[: self.settings.batch_size]
            del self._waiting[: self.settings.batch_size]
            yield from answers(self.context, rows, self._results([row for row, _ in rows]))

    def _results(self, documents: list[Document]) -> Iterator[Item]:
        child = self._calls.child_for(documents[0])
        yield from self._calls.results(child, documents[0], documents)
