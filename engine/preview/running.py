"""Runs a preview."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

import msgspec

from engine.documents import Item
from engine.errors import ConfigurationError
from engine.pipeline.spec import PipelineSpec
from engine.plan import Plan, compile_spec
from engine.plan.graph import order
from engine.plan.plan import PlannedSnap
from engine.preview.files import NoHttp, PreviewFiles
from engine.preview.numbering import Followed
from engine.preview.planning import plan_up_to, target_of
from engine.preview.recorder import Recorder
from engine.preview.result import Preview
from engine.preview.stage import Policy, PreviewRegistry, takes_from_outside
from engine.preview.summary import PreviewPlan, Summary
from engine.registry import Registry
from engine.run.execution import Load
from engine.run.identity import identify
from engine.run.runner import run_plan
from engine.run.stopping import Stopper
from engine.script.executor import Executor
from engine.sdk.http import HttpClient
from engine.sdk.settings import nearest_hint

Inputs = Mapping[str, Iterator[list[Item]]]


class Request(msgspec.Struct, frozen=True):
    """What to preview. `to`: a snap or a view (`LABEL.VIEW`) after which it stops; empty: all.

    `allowed`: what snaps may read from, `network` or `database`. `document`: the document to
    follow, as `LABEL:NUMBER`, or `NUMBER` for the first source; empty: show all.
    """

    to: str = ""
    limit: int = 50
    document: str = ""
    allowed: Collection[str] = ()
    parameters: Mapping[str, str] = {}
    timezone: str = "UTC"


def plan_preview(
    spec: PipelineSpec, registry: Registry, request: Request, project: str | None = None
) -> PreviewPlan:
    """The plan of the snaps that the preview needs.

    Snaps that are not needed are disabled, so all others keep their views. Every failed document
    goes to an error view, where it can be seen. Parsers keep all fields. Raises
    InvalidPipelineError, and ConfigurationError for an unknown snap or view.
    """
    target = target_of(spec, request.to)
    complete = compile_spec(spec, registry, project=project)
    plan = plan_up_to(spec, registry, target, project, shows_errors=True)
    plan = msgspec.structs.replace(plan, warnings=complete.warnings)
    return PreviewPlan(
        plan,
        stopping={snap.label for snap in complete.snaps if snap.on_error == "stop"},
        only=target if target and target.view else None,
        followed=_followed(plan, request.document) if request.document else None,
    )


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
    plan = planned.plan
    followed = planned.followed
    policy = Policy(limit=request.limit, allowed=request.allowed)
    stage = PreviewRegistry(registry, policy, followed)
    recorder = Recorder(request.limit, show, None if followed is None else followed.number)
    with http_client(request.allowed) as client:
        report, failure = await run_plan(
            plan,
            stage,
            identify(plan, request.parameters, timezone=request.timezone),
            observer=recorder,
            scripts=Executor(),
            inputs={name: first_items(items, request.limit) for name, items in inputs.items()},
            http=client,
            files=PreviewFiles(plan.folder, plan.project, lambda: client, request.allowed),
            stopper=stopper,
            load=load,
        )
    if isinstance(failure, ConfigurationError):
        raise failure
    notes = [(of, label, each.preview_note()) for of, label, each in stage.stand_ins]
    return Summary(planned, recorder, notes, request.limit).preview(report.snaps, failure)


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
