"""Runs a preview."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

import msgspec

from engine.documents import Item
from engine.errors import ConfigurationError
from engine.pipeline.pin_files import pin_file
from engine.pipeline.spec import PipelineSpec
from engine.plan import Plan, compile_spec
from engine.plan.graph import order
from engine.plan.plan import PlannedSnap
from engine.preview.files import NoHttp, PreviewFiles
from engine.preview.keeping import Keeping
from engine.preview.numbering import Followed
from engine.preview.pins import pins_of
from engine.preview.planning import plan_up_to, target_of
from engine.preview.recorder import Recorder
from engine.preview.result import Preview
from engine.preview.stage import Policy, PreviewRegistry, takes_from_outside
from engine.preview.summary import Notes, PreviewPlan, Summary
from engine.preview.tracing import Traces
from engine.registry import Registry
from engine.run.execution import Load
from engine.run.identity import identify
from engine.run.runner import run_plan
from engine.run.stopping import Stopper
from engine.script.executor import Executor
from engine.sdk.http import HttpClient
from engine.sdk.settings import nearest_hint

Inputs = Mapping[str, Iterator[list[Item]]]

_KEPT = 2_000
"""Documents of each view that are kept for the next preview, even if fewer are shown."""


class Request(msgspec.Struct, frozen=True):
    """What to preview. `to`: a snap or a view (`LABEL.VIEW`) after which it stops; empty: all.

    `start`: a snap before which nothing runs, as what reaches it is known from an earlier preview;
    empty: all run. `allowed`: what snaps may read from, `network` or `database`. `document`: the
    document to follow, as `LABEL:NUMBER`, or `NUMBER` for the first source; empty: show all.
    `input_files`: the files that the documents for open inputs come from, by port. With `keeps`, it
    uses what earlier previews found, unless it must run everything `afresh`, and keeps what it
    finds.
    """

    to: str = ""
    start: str = ""
    limit: int = 50
    document: str = ""
    allowed: Collection[str] = ()
    parameters: Mapping[str, str] = {}
    timezone: str = "UTC"
    input_files: Mapping[str, str] = {}
    keeps: bool = False
    afresh: bool = False


def plan_preview(
    spec: PipelineSpec, registry: Registry, request: Request, project: str | None = None
) -> PreviewPlan:
    """The plan of the snaps that the preview needs.

    Snaps that are not needed are disabled, so all others keep their views. Every failed document
    goes to an error view, where it can be seen. Parsers keep all fields. Raises
    InvalidPipelineError, and ConfigurationError for an unknown snap or view.
    """
    target = target_of(spec, request.to)
    pins = pins_of(spec, registry)
    complete = compile_spec(spec, registry, project=project)
    plan = plan_up_to(spec, registry, target, project, shows_errors=True)
    plan = msgspec.structs.replace(plan, warnings=(*complete.warnings, *pins.problems))
    _check_start(request, spec, plan)
    return PreviewPlan(
        spec,
        plan,
        stopping={snap.label for snap in complete.snaps if snap.on_error == "stop"},
        only=target if target and target.view else None,
        followed=_followed(plan, request.document) if request.document else None,
        pins=pins,
    )


def _check_start(request: Request, spec: PipelineSpec, plan: Plan) -> None:
    """Raises ConfigurationError if the preview cannot start at that snap."""
    start = request.start
    if not start:
        return
    if request.document:
        raise ConfigurationError("--doc follows a document from its source; leave out --from")
    if request.afresh:
        raise ConfigurationError("--from uses what the last preview found; leave out --no-cache")
    if start not in spec.snaps:
        names = ", ".join(spec.snaps) or "none"
        hint = nearest_hint(start, spec.snaps) or f"the snaps are: {names}"
        raise ConfigurationError(f"--from: there is no snap {start!r}; {hint}")
    if all(snap.label != start for snap in plan.snaps):
        is_before = f"it is not one of those that {request.to!r} needs" if request.to else ""
        why = is_before or "it, or a snap before it, is disabled"
        raise ConfigurationError(f"--from: the snap {start!r} does not run: {why}")


def _followed(plan: Plan, document: str) -> Followed:
    """The document to follow. Raises ConfigurationError."""
    label, colon, number = document.rpartition(":")
    if not number.isdecimal() or int(number) < 1:
        raise ConfigurationError(
            f"--doc {document!r} must be the number of a document, as in 3, or the label of a snap "
            "and the number of a document that leaves it, as in parse:3"
        )
    snaps = {snap.label: snap for snap in plan.snaps}
    if not colon:
        edges = [(link.source.label, link.target.label) for link in plan.links]
        label = next(
            (label for label in order(list(snaps), edges) if _begins(snaps[label], plan)), ""
        )
        if not label:
            raise ConfigurationError("--doc: no snap of this pipeline begins with documents")
    elif label not in snaps:
        hint = nearest_hint(label, snaps) or f"the snaps are: {', '.join(snaps)}"
        raise ConfigurationError(f"--doc: there is no snap {label!r} in this preview; {hint}")
    is_input = any(port.label == label for port in plan.open_inputs)
    return Followed(label, int(number), is_input)


def _begins(snap: PlannedSnap, plan: Plan) -> bool:
    """Whether documents come into the pipeline at this snap."""
    gives_documents = any(view.type == "document" for view in snap.outputs)
    is_fed = any(port.label == snap.label for port in plan.open_inputs)
    return is_fed or (gives_documents and takes_from_outside(snap, plan))


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
    plan, followed = planned.plan, planned.followed
    identity = identify(plan, request.parameters, timezone=request.timezone)
    keeping = Keeping(
        planned,
        registry,
        identity.parameters,
        (request.limit, request.timezone, sorted(request.allowed)),
        request.input_files,
        request.limit,
        reads=request.keeps and not request.afresh and followed is None,
        writes=request.keeps and followed is None,
    )
    reuse = keeping.choose(planned.pins.items, request.start)
    traces = Traces(keeping.salt)
    policy = Policy(limit=request.limit, allowed=request.allowed)
    stage = PreviewRegistry(registry, policy, followed, reuse.replays)
    kept = request.limit if followed is not None else max(request.limit, _KEPT)
    recorder = Recorder(kept, show, None if followed is None else followed.number)

    def traced_load(path: str, using: Registry) -> PipelineSpec:
        traces.note_pipeline(path)
        return load(path, using)

    with http_client(request.allowed) as client:
        report, failure = await run_plan(
            plan,
            stage,
            identity,
            observer=recorder,
            scripts=Executor(),
            inputs={name: first_items(items, request.limit) for name, items in inputs.items()},
            http=client,
            files=PreviewFiles(plan.folder, plan.project, lambda: client, request.allowed),
            stopper=stopper,
            load=traced_load,
            guard=traces.guard,
        )
    if isinstance(failure, ConfigurationError):
        raise failure
    notes = _notes(stage)
    counts = keeping.recall(reuse, recorder, report.snaps, notes)
    keeping.save(reuse, recorder, traces, counts, notes)
    summary = Summary(planned, recorder, reuse, notes, request.limit)
    preview = summary.preview(counts, failure, keeping.notices)
    files = {*files_of(planned, request), *traces.names(), *keeping.files_behind(reuse)}
    return msgspec.structs.replace(preview, files=sorted(files))


def files_of(planned: PreviewPlan, request: Request) -> set[str]:
    """The files that are known before a preview runs."""
    plan = planned.plan
    libraries = (library.path for library in plan.libraries)
    pins = (pin_file(plan.path), *planned.pins.files)
    return {plan.path, *libraries, *pins, *request.input_files.values()}


def _notes(stage: PreviewRegistry) -> dict[str, Notes]:
    """What the snaps that did not run would have done, by the label of the outermost pipeline."""
    own: dict[str, str] = {}
    inner: dict[str, dict[str, None]] = {}
    for stood in stage.stand_ins:
        note = stood.snap.preview_note()
        if not stood.caller:
            own[stood.label] = note
            continue
        text = f"in the pipeline {stood.plan.name!r}: {stood.label}: {note}"
        inner.setdefault(stood.caller, {})[text] = None
    return {
        label: Notes(own.get(label, ""), tuple(inner.get(label, ())))
        for label in (*own, *(each for each in inner if each not in own))
    }


@contextmanager
def http_client(allowed: Collection[str]) -> Iterator[HttpClient]:
    """A client for one run, which sends nothing unless that is allowed."""
    if "network" not in allowed:
        yield NoHttp()
        return
    from engine.run.http import LoopClient  # importing aiohttp would double the start

    client = LoopClient()
    try:
        yield client
    finally:
        client.close()


def first_items(batches: Iterator[list[Item]], limit: int) -> Iterator[list[Item]]:
    """The first documents; what comes after them is not read."""
    left = limit
    for batch in batches:
        yield batch[:left]
        left -= len(batch)
        if left <= 0:
            return
