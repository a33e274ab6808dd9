"""Run another pipeline on its own output until a condition is true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine.sdk import (
    Batch,
    ChildReference,
    DataError,
    Document,
    Evaluated,
    Example,
    Expression,
    Foreign,
    Issue,
    Lineage,
    Settings,
    Snap,
    To,
    exact_decimals,
    setting,
)
from snaps.flow.shared.child_calls import ChildCalls, answers
from snaps.shared.bounds import check_bounds
from snaps.shared.conditions import refuse_other_than_boolean

_DOUBLE = """
snaps:
  double: {snap: Mapper, mappings: {$n: $n * 2}}
"""


class PipeLoopSettings(Settings):
    pipeline: Evaluated[str] = setting(
        help="The pipeline file, relative to this one; `.yaml` may be left out.",
        example="next_page.yaml",
    )
    parameters: dict[str, Evaluated[Any]] = setting(
        default={},
        help="Parameter to value, for each run; expressions see the document that it gets.",
        example={"page": "= $page"},
    )
    stop_condition: Expression = setting(
        help="Evaluated on the document that a run emitted; when it is true, that is the result.",
        example="$next == null",
    )
    iteration_limit: Evaluated[int] = setting(
        default=Evaluated(value=10, kind=int),
        help="The number of runs for a document after which the last output is the result.",
    )
    debug_iteration_output: bool = setting(
        default=False,
        help="Add the field `_iteration_documents`: a list of `{iteration, child_pipeline_output, "
        "stop_condition_evaluation}` with what each run emitted.",
    )


class PipeLoop(Snap[PipeLoopSettings]):
    since = "0.4.0"
    about = """
    The pipeline gets the document, then the first document that it emitted, and so on; further
    ones are ignored. It must have one open input and one open output. A run that fails, or emits
    nothing, is an error of the document.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-flow-pipeloop",
        "PipeLoop",
        version=1,
        settings={
            "pipeline": "pipeline",
            "params": "parameters",
            "params[].paramName": "parameters[].key",
            "params[].paramValue": "parameters[].value",
            "loopOptions.stopCondition": "stop_condition",
            "loopOptions.iterationLimit": "iteration_limit",
            "loopOptions.debugIterationOutput": "debug_iteration_output",
            "pipelinePath": "pipeline",
            "stopCondition": "stop_condition",
            "iterationLimit": "iteration_limit",
        },
        ignored=("executionOptions",),
        pipelines=("pipeline",),
    )
    blocking = True
    flows = True
    replayable = False
    plain = True
    changes_input = False
    examples = (
        Example(
            "a number is doubled until it is large",
            settings={"pipeline": "double.yaml", "stop_condition": "$n > 100"},
            files={"double.yaml": _DOUBLE},
            given=[{"n": 7}, {"n": 90}],
            expect=[{"n": 112}, {"n": 180}],
        ),
    )

    @classmethod
    def check(cls, settings: PipeLoopSettings) -> Iterable[Issue]:
        return check_bounds(settings, "iteration_limit", least=1)

    @classmethod
    def children(cls, settings: PipeLoopSettings) -> Iterable[ChildReference]:
        yield ChildReference(
            ("pipeline",), settings.pipeline, parameters=frozenset(settings.parameters)
        )

    def open(self) -> None:
        settings = self.settings
        self._calls = ChildCalls(self.context, settings.pipeline, settings.parameters)
        self._stops = self.context.function(settings.stop_condition)

    def process_batch(self, view: str, batch: Batch) -> Iterator[Mapping[str, Batch]]:
        return self._collected(batch, "process_batch").batches(self._results(batch))

    def interrupt(self) -> None:
        self._calls.stop()

    def close(self) -> None:
        self._calls.stop()

    def _results(self, batch: Batch) -> Iterator[To]:
        for place, document in enumerate(batch.items):
            lineage = batch.lineage_of(place)
            results = self._looped(document, lineage)
            yield from answers(self.context, [(document, lineage)], results)

    def _looped(self, document: Document, lineage: Lineage) -> Iterator[Document]:
        """The result of the last run."""
        limit = self.context.value(self.settings.iteration_limit, document)
        history: list[Document] = []
        for iteration in range(1, max(1, limit) + 1):
            document = self._next(document, lineage)
            stops = self._stops_at(document)
            history.append(
                {
                    "iteration": iteration,
                    "child_pipeline_output": document,
                    "stop_condition_evaluation": stops,
                }
            )
            if stops:
                break
            if not self.settings.debug_iteration_output:
                history.clear()
        if self.settings.debug_iteration_output:
            document = {**document, "_iteration_documents": history}
        yield document

    def _next(self, document: Document, lineage: Lineage) -> Document:
        child = self._calls.child_for(document)
        if child.inputs and child.outputs:
            emitted = [*self._calls.results(child, document, [document], lineage)]
            if emitted and isinstance(emitted[0], dict):
                return emitted[0]
            reason = "it emitted no document"
        else:
            reason = f"it has no open {'output' if child.inputs else 'input'}"
        raise DataError(
            f"could not run the pipeline {child.name!r} in a loop",
            reason,
            "let it emit one document for each that it gets",
        )

    def _stops_at(self, document: Document) -> bool:
        with exact_decimals():
            verdict = self._stops(document)
        if verdict is not True and verdict is not False:
            text = self.settings.stop_condition.text
            refuse_other_than_boolean(f"the stop_condition {text!r}", verdict)
        return bool(verdict)
