"""Run another pipeline once, as a part of this one, with any number of inputs and outputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from engine.sdk import (
    Batch,
    ChildReference,
    ChildRun,
    DataError,
    Evaluated,
    Example,
    Foreign,
    Issue,
    Item,
    Settings,
    Snap,
    To,
    View,
    Views,
    setting,
)
from snaps.flow.shared.child_calls import fatal

_CLEAN = """
parameters: {least: {default: "0"}}
snaps:
  keep: {snap: Filter, filter: $n >= parseInt(_least)}
  mark: {snap: Mapper, mappings: {$n: $n, $kept: "true"}}
links: [keep -> mark]
"""


class NestedPipelineSettings(Settings):
    pipeline: str = setting(
        help="The pipeline file, relative to this one; `.yaml` may be left out.",
        example="clean_order.yaml",
    )
    parameters: dict[str, str] = setting(
        default={},
        help="Parameter to value. Others have the value of the parameter of the same name of this "
        "pipeline, or else their default.",
    )
    inputs: dict[str, str] = setting(
        default={},
        help="Input view of this snap to open input of the pipeline, as `label.view`.",
        example={"orders": "clean.input"},
    )
    outputs: dict[str, str] = setting(
        default={},
        help="Output view of this snap to open output of the pipeline, as `label.view`.",
        example={"clean": "mark.output"},
    )
    binary: tuple[str, ...] = setting(
        default=(), help="Those of the views that carry binary streams."
    )


class NestedPipeline(Snap[NestedPipelineSettings]):
    since = "0.4.0"
    about = """
    A failure in the nested pipeline is a failure of this one. SnapLogic has replaced nested
    pipelines by Pipeline Execute; this snap is for pipelines that still use them.
    """
    foreign = Foreign(
        "com-snaplogic-subpipeline",
        "Nested Pipeline",
        settings={
            "pipe_ref": "pipeline",
            "param_table[].key": "parameters[].key",
            "param_table[].value": "parameters[].value",
        },
        ignored=(
            "param_table[].capture",
            "delivery_options",
            "error_param_table",
            "error_pipeline",
            "imports",
            "suspendable",
            "test_pipeline",
        ),
        pipelines=("pipeline",),
        ports={"input": "inputs", "output": "outputs", "binary": "binary"},
        version=2,
    )
    stateful = True
    single = True
    blocking = True
    flows = True
    replayable = False
    plain = True
    changes_input = False
    loses_lineage = "streams documents through another pipeline; use PipelineExecute"
    examples = (
        Example(
            "documents pass through another pipeline",
            settings={
                "pipeline": "clean.yaml",
                "parameters": {"least": "2"},
                "inputs": {"all": "keep.input"},
                "outputs": {"kept": "mark.output"},
            },
            files={"clean.yaml": _CLEAN},
            given={"all": [{"n": 1}, {"n": 2}, {"n": 3}]},
            expect={"kept": [{"n": 2, "kept": True}, {"n": 3, "kept": True}]},
        ),
    )

    @classmethod
    def views_for(cls, settings: NestedPipelineSettings) -> Views:
        def view(name: str) -> View:
            return View(name, "binary" if name in settings.binary else "document")

        return Views(tuple(map(view, settings.inputs)), tuple(map(view, settings.outputs)))

    @classmethod
    def check(cls, settings: NestedPipelineSettings) -> Iterable[Issue]:
        known = {*settings.inputs, *settings.outputs}
        for place, name in enumerate(settings.binary):
            if name not in known:
                hint = f"the views are: {', '.join(known) or 'none'}"
                yield Issue(("binary", place), f"there is no view {name!r}", hint)

    @classmethod
    def children(cls, settings: NestedPipelineSettings) -> Iterable[ChildReference]:
        yield ChildReference(
            ("pipeline",),
            Evaluated(value=settings.pipeline),
            parameters=frozenset(settings.parameters),
            inherits=True,
        )

    def open(self) -> None:
        self._run: ChildRun | None = None
        self._views = {port: view for view, port in self.settings.outputs.items()}

    def start(self) -> Iterator[Item | To]:
        settings, context = self.settings, self.context
        try:
            child = context.pipelines.find(settings.pipeline)
            _check_ports("input", settings.inputs, [view.name for view in child.inputs])
            _check_ports("output", settings.outputs, [view.name for view in child.outputs])
            inherited = {
                name: value
                for name, value in context.parameters.items()
                if name in child.parameters and value is not None
            }
            self._run = child.start(
                {**inherited, **settings.parameters},
                from_data=context.data_parameters - settings.parameters.keys(),
            )
        except DataError as error:
            raise fatal(error) from error
        return iter(())

    def process_batch(self, view: str, batch: Batch) -> Iterator[Mapping[str, Batch]]:
        items = self._emitted(batch.items, view=self.settings.inputs[view])
        return self._collected(batch, "process_batch").batches(items)

    def finish(self) -> Iterator[Item | To]:
        return self._emitted((), last=True)

    def interrupt(self) -> None:
        if self._run is not None:
            self._run.stop()

    def close(self) -> None:
        self.interrupt()

    def _emitted(
        self, items: Iterable[Item], *, view: str = "", last: bool = False
    ) -> Iterator[Item | To]:
        assert self._run is not None  # start() was called
        try:
            for port, emitted in self._run.exchange(list(items), view=view, last=last):
                if port in self._views:
                    yield from (To(self._views[port], item) for item in emitted)
        except DataError as error:
            raise fatal(error) from error


def _check_ports(side: str, named: Mapping[str, str], there: list[str]) -> None:
    for view, port in named.items():
        if port not in there:
            raise DataError(
                f"the view {view!r} leads nowhere",
                f"the nested pipeline has no open {side} {port!r}",
                f"its open {side}s are: {', '.join(there) or 'none'}",
            )
