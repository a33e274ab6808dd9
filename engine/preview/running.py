"""Runs a preview."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

import msgspec

from engine.documents import Item
from engine.errors import ConfigurationError, EngineError, SnapFailedError
from engine.pipeline.spec import PipelineSpec
from engine.plan import Plan, Port, compile_spec
from engine.plan.graph import downstream, order
from engine.preview.files import NoHttp, PreviewFiles
from engine.preview.recorder import Recorder
from engine.preview.result import Preview, SnapPreview, StreamPreview, ViewPreview
from engine.preview.stage import PreviewRegistry
from engine.registry import Registry
from engine.run.execution import Load
from engine.run.identity import identify
from engine.run.report import SnapStatistics
from engine.run.runner import run_plan
from engine.run.secrets import Secrets
from engine.run.stopping import Stopper
from engine.script.executor import Executor
from engine.sdk.http import HttpClient
from engine.sdk.settings import nearest_hint
from engine.sdk.views import ERROR_VIEW

Inputs = Mapping[str, Iterator[list[Item]]]


class Request(msgspec.Struct, frozen=True):
    """What to preview. `to`: a snap or a view (`LABEL.VIEW`) after which it stops; empty: all.

    `allowed`: what snaps may read from, `network` or `database`.
    """

    to: str = ""
    limit: int = 50
    allowed: Collection[str] = ()
    parameters: Mapping[str, str] = {}
    timezone: str = "UTC"


class PreviewPlan(msgspec.Struct, frozen=True):
    """A plan for a preview. `stopping` are the snaps where an error would stop a run."""

    plan: Plan
    stopping: Collection[str]


def plan_preview(
    spec: PipelineSpec, registry: Registry, request: Request, project: str | None = None
) -> PreviewPlan:
    """The plan of the snaps that the preview needs.

    Snaps that are not needed are disabled, so all others keep their views. Every failed document
    goes to an error view, where it can be seen. Parsers keep all fields. Raises
    InvalidPipelineError, and ConfigurationError for an unknown snap or view.
    """
    target = _target(spec, request.to)
    complete = compile_spec(spec, registry, project=project)
    edges = [(link.target.label, link.source.label) for link in spec.links]
    needed = downstream([target.label], edges) if target else set(spec.snaps)
    snaps = {
        label: msgspec.structs.replace(
            snap,
            mode=snap.mode if label in needed else "disabled",
            on_error="route",
        )
        for label, snap in spec.snaps.items()
    }
    plan = compile_spec(msgspec.structs.replace(spec, snaps=snaps), registry, project=project)
    plan = msgspec.structs.replace(
        plan,
        snaps=tuple(msgspec.structs.replace(snap, needed=None) for snap in plan.snaps),
        warnings=complete.warnings,
    )
    if target is not None:
        _check_target(plan, target)
    return PreviewPlan(plan, {snap.label for snap in complete.snaps if snap.on_error == "stop"})


def _target(spec: PipelineSpec, to: str) -> Port | None:
    """The snap and the view (empty for all) after which the preview stops."""
    if not to:
        return None
    label, _, view = (to, "", "") if to in spec.snaps else to.partition(".")
    if label not in spec.snaps:
        names = ", ".join(spec.snaps) or "none"
        hint = nearest_hint(label, spec.snaps) or f"the snaps are: {names}"
        raise ConfigurationError(f"--to: there is no snap {label!r}; {hint}")
    return Port(label, view)


def _check_target(plan: Plan, target: Port) -> None:
    snap = next((snap for snap in plan.snaps if snap.label == target.label), None)
    if snap is None:
        raise ConfigurationError(
            f"--to: the snap {target.label!r} does not run, as it or a snap before it is disabled"
        )
    views = [view.name for view in snap.outputs] + [ERROR_VIEW.name]
    if target.view and target.view not in views:
        hint = nearest_hint(target.view, views) or f"its views are: {', '.join(views)}"
        raise ConfigurationError(
            f"--to: the snap {target.label!r} has no output view {target.view!r}; {hint}"
        )


async def run_preview(
    planned: PreviewPlan,
    registry: Registry,
    request: Request,
    *,
    inputs: Inputs,
    show: Callable[[str, str], None],
    load: Load,
    stopper: Stopper | None = None,
) -> Preview:
    """Run what `plan_preview` made. `inputs` are the documents for its open inputs; `show` gets the
    lines that snaps print. Raises ConfigurationError if it cannot start."""
    plan = planned.plan
    stage = PreviewRegistry(registry, request.limit, request.allowed)
    recorder = Recorder(request.limit, show)
    client = _client(request.allowed)
    try:
        report, failure = await run_plan(
            plan,
            stage,
            identify(plan, request.parameters, timezone=request.timezone),
            observer=recorder,
            scripts=Executor(),
            inputs={name: _first(items, request.limit) for name, items in inputs.items()},
            http=client,
            files=PreviewFiles(plan.folder, plan.project, lambda: client, request.allowed),
            stopper=stopper,
            load=load,
        )
    finally:
        close = getattr(client, "close", None)
        if close is not None:
            close()
    if isinstance(failure, ConfigurationError):
        raise failure
    return _Summary(planned, recorder, stage, request).preview(report.snaps, failure)


def _client(allowed: Collection[str]) -> HttpClient:
    if "network" not in allowed:
        return NoHttp()
    from engine.run.http import LoopClient  # importing aiohttp would double the start

    return LoopClient()


def _first(batches: Iterator[list[Item]], limit: int) -> Iterator[list[Item]]:
    """The first documents; what comes after them is not read."""
    left = limit
    for batch in batches:
        yield batch[:left]
        left -= len(batch)
        if left <= 0:
            return


class _Summary:
    def __init__(
        self, planned: PreviewPlan, recorder: Recorder, stage: PreviewRegistry, request: Request
    ) -> None:
        self._plan = plan = planned.plan
        self._stopping = planned.stopping
        self._recorder = recorder
        self._secrets: Secrets = recorder.secrets
        self._limit = request.limit
        self._only = _only_view(plan, request.to)
        self._targets = {link.source: link.target for link in plan.links}
        self._notes = {label: each.note() for of, label, each in stage.stand_ins if of is plan}
        self._other_notes = [
            f"in the pipeline {of.name!r}: {label}: {each.note()}"
            for of, label, each in stage.stand_ins
            if of is not plan
        ]

    def preview(self, statistics: list[SnapStatistics], failure: EngineError | None) -> Preview:
        by_label = {snap.label: snap for snap in statistics}
        labels = order(list(by_label), [(a.label, b.label) for a, b in self._targets.items()])
        at = failure.label if isinstance(failure, SnapFailedError) else ""
        mask = self._secrets.mask_text
        return Preview(
            pipeline=self._plan.name,
            limit=self._limit,
            snaps=[
                self._snap(by_label[label], failure if label == at else None) for label in labels
            ],
            notes=list(dict.fromkeys(map(mask, self._other_notes))),
            failure="" if failure is None or at else mask(str(failure)),
        )

    def _snap(self, snap: SnapStatistics, failure: EngineError | None) -> SnapPreview:
        views = [view.name for view in self._plan.snap(snap.label).outputs]
        ports = [Port(snap.label, view) for view in (*views, ERROR_VIEW.name)]
        shown = [port for port in ports if self._is_shown(port, snap)]
        return SnapPreview(
            label=snap.label,
            type=snap.type,
            documents_in=snap.documents_in,
            documents_out=snap.documents_out,
            dropped=snap.dropped,
            errors=snap.errors,
            views=[self._view(port, snap, len(views)) for port in shown],
            dropped_by=self._dropped_by(snap),
            note=self._secrets.mask_text(self._notes.get(snap.label, "")),
            failure=self._failure(snap, failure),
        )

    def _dropped_by(self, snap: SnapStatistics) -> str:
        """The only expression of a snap that drops documents."""
        expressions = self._plan.snap(snap.label).expressions
        return expressions[0].text if snap.dropped and len(expressions) == 1 else ""

    def _failure(self, snap: SnapStatistics, failure: EngineError | None) -> str:
        if failure is not None:
            return self._secrets.mask_text(str(failure))
        if snap.errors and snap.label in self._stopping:
            return "a run stops at the first error here: link its error view, or set on_error"
        return ""

    def _is_shown(self, port: Port, snap: SnapStatistics) -> bool:
        if self._only is not None and port.label == self._only.label and port != self._only:
            return False
        is_error = port.view == ERROR_VIEW.name
        return not is_error or port in self._targets or bool(snap.outputs.get(port.view))

    def _view(self, port: Port, snap: SnapStatistics, outputs: int) -> ViewPreview:
        target = self._targets.get(port)
        planned = self._plan.snap(port.label).outputs
        is_binary = any(view.name == port.view and view.type == "binary" for view in planned)
        is_default = outputs == 1 and port.view != ERROR_VIEW.name
        return ViewPreview(
            view=port.view,
            name=port.label if is_default else str(port),
            target="" if target is None else self._target_name(target),
            type="binary" if is_binary else "document",
            count=snap.outputs.get(port.view, 0),
            items=[self._masked(item) for item in self._recorder.items.get(port, ())],
        )

    def _target_name(self, target: Port) -> str:
        is_default = len(self._plan.snap(target.label).inputs) == 1
        return target.label if is_default else str(target)

    def _masked(self, item: dict[str, object] | StreamPreview) -> dict[str, object] | StreamPreview:
        if isinstance(item, StreamPreview):
            start = self._secrets.mask_bytes(item.start)
            return StreamPreview(self._secrets.mask(item.header), start, item.size)
        masked: dict[str, object] = self._secrets.mask(item)
        return masked


def _only_view(plan: Plan, to: str) -> Port | None:
    """The view after which the preview stops, if it names one."""
    if not to or any(snap.label == to for snap in plan.snaps):
        return None
    label, _, view = to.partition(".")
    return Port(label, view)
