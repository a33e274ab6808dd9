"""`engine run`: run one pipeline and show its progress."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from engine import api
from engine.api.checking import spec_of
from engine.cli.display import Display, choose_display
from engine.cli.inputs import documents_of
from engine.cli.options import add_parameters, given_parameters, positive, seconds, whole
from engine.cli.pipelines import STDIN, given_pipeline, refuse_watching_stdin
from engine.cli.problems import print_problems
from engine.cli.report_files import report_file
from engine.cli.reserved import reserve_stdout
from engine.cli.stopping import stopped_by_signals
from engine.cli.worker_options import (
    add_on,
    add_resources,
    add_workers,
    placed,
    resources_for_cluster,
)
from engine.cli.wrapping import HINT, width_of, wrapped
from engine.documents import Item
from engine.errors import (
    AbsentError,
    ConfigurationError,
    EngineError,
    InvalidPipelineError,
    SnapFailedError,
)
from engine.pipeline import PipelineSpec
from engine.pipeline.case_files import is_test_file
from engine.pipeline.pin_files import is_pin_file
from engine.plan.graph import downstream
from engine.plan.plan import Plan
from engine.registry import Registry, discover
from engine.run.garbage_collection import relax_garbage_collection
from engine.run.report import Report
from engine.run.stopping import Stopper, limited_to
from engine.visible import visible

if TYPE_CHECKING:
    from engine.cli.break_prompt import Breaking
    from engine.cli.run_taps import RunTaps
    from engine.preview import PartialRun
    from engine.run.taps import Taps


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "pipeline", metavar="PIPELINE", help="a pipeline file; - for standard input"
    )
    add_parameters(parser)
    parser.add_argument(
        "--input",
        metavar="FILE",
        help="documents for the open input: a JSON object, an array, or one object per line; - for "
        "standard input",
    )
    add_workers(
        parser,
        "run parts of the pipeline in N worker processes, or in one per core (auto); 'engine plan' "
        "shows which (default: 1, all in one process)",
    )
    add_on(parser)
    add_resources(parser)
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=seconds,
        help="stop the run after this time; it counts as failed",
    )
    parser.add_argument(
        "--to",
        metavar="SNAP[.VIEW]",
        default="",
        help="run only this snap and those before it, and print what leaves it",
    )
    parser.add_argument(
        "--limit", metavar="N", type=positive, help="documents to take from each source"
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="do not run snaps that act on the outside, such as writers; say what they would do",
    )
    parser.add_argument(
        "--tap",
        dest="taps",
        metavar="SNAP[.VIEW]",
        action="append",
        default=[],
        help="show documents that leave this snap, or cross this view, while the pipeline runs; "
        "may be repeated, and have wildcards, as in 'parse*'",
    )
    parser.add_argument(
        "--tap-limit",
        metavar="N",
        type=whole,
        default=10,
        help="documents to show of each tapped view; 0 shows all (default: 10)",
    )
    parser.add_argument(
        "--filter",
        metavar="EXPRESSION",
        default="",
        help="let taps show only documents for which this is true, such as '$total > 100'",
    )
    parser.add_argument(
        "--tap-file",
        metavar="FILE",
        help="write what taps show to FILE, as JSON lines (default: standard error)",
    )
    parser.add_argument(
        "--break-on-error",
        action="store_true",
        help="stop at each document that fails, show it, and ask at the terminal what to do",
    )
    parser.add_argument(
        "--watch",
        action="store_true",
        help="run again whenever a file of the pipeline changes",
    )
    parser.add_argument(
        "--quiet",
        action="store_true",
        help="show only documents, warnings and the reason if the run fails",
    )
    parser.add_argument("--report", metavar="FILE", help="write the run report as JSON to FILE")
    parser.add_argument(
        "--html",
        metavar="FILE",
        help="write a page about the run to FILE: graph, counts, times, errors, and the first "
        "documents of each link",
    )
    parser.add_argument(
        "--project",
        metavar="FOLDER",
        help="root of sldb:/// (default: the project of the pipeline file)",
    )
    parser.add_argument(
        "--timezone", metavar="ZONE", default="UTC", help="time zone of expressions (default: UTC)"
    )
    parser.add_argument(
        "--debug",
        action="store_true",
        help="show the full traceback of an exception in the code of a snap",
    )


def run(arguments: argparse.Namespace) -> int:
    """0 if the pipeline completed, 1 if it failed, 2 if it could not be started."""
    registry = discover()
    if arguments.workers is None:
        arguments.workers = "auto" if arguments.on else 1
    if arguments.watch:
        refuse_watching_stdin(arguments.pipeline)
        from engine.cli.run_watch import watch_run  # few runs are watched

        return watch_run(lambda options: _run_once(options, registry), arguments, registry)
    return _run_once(arguments, registry)


def _run_once(arguments: argparse.Namespace, registry: Registry) -> int:
    _refuse_with_workers(arguments)
    arguments.needs = resources_for_cluster(arguments)
    spec = given_pipeline(arguments.pipeline, registry)
    complete = _plan(spec, arguments, registry)
    part = _part(spec, arguments, registry)
    plan = complete if part is None else part.plan
    tapping = _tapping(arguments, plan)
    plan = plan if tapping is None else tapping.plan
    inputs = _inputs(plan, arguments)
    print_problems(complete.warnings, sys.stderr)
    relax_garbage_collection()
    with (
        report_file(arguments.report, "--report") as write_report,
        reserve_stdout() as out,
        placed(arguments.on, arguments.workers) as (arguments.placement, arguments.workers),
        _breaking(arguments) as breaking,
    ):
        display = choose_display(
            out,
            sys.stderr,
            plan.open_outputs,
            quiet=arguments.quiet,
            live=breaking is None,
        )
        with (
            _page(arguments, spec, plan, registry, display) as watching,
            nullcontext() if tapping is None else tapping.open(display) as taps,
        ):
            running = _run(part or plan, registry, arguments, inputs, watching, taps, breaking)
            try:
                failure = asyncio.run(running)
            finally:
                if display.report is not None:
                    write_report(_as_json(display.report))
    for note in () if part is None else part.notes:
        print(visible(note), file=sys.stderr)
    if isinstance(failure, SnapFailedError):
        if not inputs and (hint := _input_hint(plan, failure)):
            print(wrapped(f"{HINT}{hint}", width_of(sys.stderr), 4), file=sys.stderr)
        if arguments.debug and failure.trace:
            print(visible(failure.trace), file=sys.stderr)
    return 2 if isinstance(failure, ConfigurationError) else display.exit_code


def _refuse_with_workers(arguments: argparse.Namespace) -> None:
    """What follows single documents needs a run in one process."""
    options = {
        "--to": arguments.to,
        "--limit": arguments.limit,
        "--dry-run": arguments.dry_run,
        "--tap": arguments.taps,
        "--break-on-error": arguments.break_on_error,
        "--html": arguments.html,
    }
    option = "--on" if arguments.on else "--workers"
    is_spread = arguments.on or arguments.workers != 1
    if is_spread and (given := next(filter(options.get, options), None)):
        raise ConfigurationError(
            f"{given} cannot be used together with {option}, which runs snaps in other processes; "
            "leave one of them out"
        )


def _plan(spec: PipelineSpec, arguments: argparse.Namespace, registry: Registry) -> Plan:
    if arguments.project is not None and not Path(arguments.project).is_dir():
        raise ConfigurationError(f"--project: there is no folder {arguments.project!r}")
    try:
        return api.compile_plan(spec, registry, project=arguments.project)
    except InvalidPipelineError:
        if is_test_file(arguments.pipeline):
            raise ConfigurationError(
                f"{arguments.pipeline!r} is a test file; run its cases with: engine test "
                f"{arguments.pipeline}"
            ) from None
        if is_pin_file(arguments.pipeline):
            raise ConfigurationError(
                f"{arguments.pipeline!r} is a pin file, which only 'engine preview' uses; run its "
                "pipeline"
            ) from None
        if api.is_task_file(arguments.pipeline):
            raise ConfigurationError(
                f"{arguments.pipeline!r} is a task file; host it with: engine serve "
                f"{arguments.pipeline}"
            ) from None
        raise


def _part(
    spec: PipelineSpec, arguments: argparse.Namespace, registry: Registry
) -> PartialRun | None:
    """The part of the pipeline to run; None for an ordinary run."""
    if not (arguments.to or arguments.limit or arguments.dry_run):
        return None
    from engine.preview import Part, PartialRun  # ordinary runs do not need it

    part = Part(arguments.to, arguments.limit, arguments.dry_run)
    return PartialRun(spec, registry, part, arguments.project)


def _inputs(plan: Plan, arguments: argparse.Namespace) -> dict[str, Iterator[list[Item]]]:
    """The documents of `--input` for the open input, read as the run consumes them."""
    name = arguments.input
    if name is None:
        return {}
    if name == arguments.pipeline == STDIN:
        raise ConfigurationError(
            "--input -: standard input is the pipeline; give the documents in a file"
        )
    if len(plan.open_inputs) != 1:
        raise ConfigurationError(f"--input {_input_refusal(plan)}")
    return {str(plan.open_inputs[0]): documents_of(name)}


def _input_refusal(plan: Plan) -> str:
    if not plan.open_inputs:
        return (
            "needs an open input, and this pipeline has none; remove the snap that produces its "
            "documents, so that the next one has an open input"
        )
    ports = ", ".join(map(str, plan.open_inputs))
    return f"needs exactly one open input, and this pipeline has several: {ports}; link the others"


def _input_hint(plan: Plan, failure: SnapFailedError) -> str:
    """How to feed the open input, if a field is missing downstream of it: without documents of the
    user it gets a single empty one."""
    edges = [(link.source.label, link.target.label) for link in plan.links]
    ports = [port for port in plan.open_inputs if failure.label in downstream([port.label], edges)]
    if not ports or not _is_for_missing_field(failure):
        return ""
    what = f"the open input {str(ports[0])!r} was not fed, so it got one empty document"
    if len(plan.open_inputs) > 1:
        return f"{what}; link it to a snap that produces documents"
    return f"{what}; feed it with --input FILE"


def _is_for_missing_field(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, AbsentError):
        error = error.__cause__ or error.__context__
    return error is not None


@contextmanager
def _page(
    arguments: argparse.Namespace,
    spec: PipelineSpec,
    plan: Plan,
    registry: Registry,
    display: Display,
) -> Iterator[Display]:
    """The display for a run, which also writes the page of `--html` when the run has ended."""
    if arguments.html is None:
        yield display
        return
    from engine.cli.run_page import SamplingDisplay  # few runs write a page
    from engine.diagram.diagram import diagram_of

    with report_file(arguments.html, "--html") as write_page:
        diagram = diagram_of(spec, registry)
        sampling = SamplingDisplay(display)
        try:
            yield sampling
        finally:
            if display.report is not None:
                given = given_parameters(arguments, [each.name for each in plan.parameters])
                write_page(sampling.page(diagram, plan.parameters, given).encode())


def _tapping(arguments: argparse.Namespace, plan: Plan) -> RunTaps | None:
    if not arguments.taps:
        if arguments.filter or arguments.tap_file:
            option = "--filter" if arguments.filter else "--tap-file"
            raise ConfigurationError(f"{option} is for taps; say what to show with --tap SNAP")
        return None
    from engine.cli.run_taps import RunTaps  # few runs have taps

    return RunTaps(arguments, plan)


def _breaking(arguments: argparse.Namespace) -> AbstractContextManager[Breaking | None]:
    if not arguments.break_on_error:
        return nullcontext()
    from engine.cli.break_prompt import breaking  # few runs are stopped at documents

    return breaking()


def _as_json(report: Report) -> bytes:
    return msgspec.json.format(msgspec.json.encode(report.as_dict()), indent=2) + b"\n"


async def _run(
    plan: Plan | PartialRun,
    registry: Registry,
    arguments: argparse.Namespace,
    inputs: dict[str, Iterator[list[Item]]],
    display: Display,
    taps: Taps | None,
    breaking: Breaking | None,
) -> EngineError | None:
    """Run to the end, or until a signal stops it; returns the error if the pipeline failed."""
    stopper = Stopper() if breaking is None else breaking.stopper
    declared = plan.parameters if isinstance(plan, Plan) else plan.plan.parameters
    options: dict[str, Any] = {
        "parameters": given_parameters(arguments, [spec.name for spec in declared]),
        "inputs": inputs,
        "observer": display,
        "timezone": arguments.timezone,
        "stopper": stopper,
        "taps": taps,
        "breaker": None if breaking is None else breaking.breaker,
    }
    try:
        with stopped_by_signals(stopper), limited_to(arguments.timeout, stopper):
            if not isinstance(plan, Plan):
                return await plan.start(load=spec_of, **options)
            options |= {
                "workers": arguments.workers,
                "placement": arguments.placement,
                "resources": arguments.needs,
            }
            _, failure = await api.start(plan, registry, **options)
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    return failure
