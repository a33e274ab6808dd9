"""`engine preview`: run a pipeline on its first documents, without side effects, and show them."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator
from typing import TextIO

import msgspec

from engine.api.checking import is_task_file, spec_of
from engine.cli.inputs import documents_of
from engine.cli.options import add_parameters, given_parameters, positive
from engine.cli.pipelines import STDIN, given_pipeline, refuse_watching_stdin
from engine.cli.preview_lines import print_lines
from engine.cli.problems import print_problems
from engine.cli.reserved import reserve_stdout
from engine.cli.stopping import stopped_by_signals
from engine.cli.watching import own_code, restart
from engine.documents import Item
from engine.errors import ConfigurationError, InvalidPipelineError
from engine.pipeline.case_files import is_test_file
from engine.pipeline.pin_files import is_pin_file, pin_file
from engine.plan import Plan
from engine.preview import Changes, Preview, PreviewPlan, Request, plan_preview, run_preview
from engine.registry import Registry, discover
from engine.run.stopping import Stopper
from engine.visible import visible


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "pipeline", metavar="PIPELINE", help="a pipeline file; - for standard input"
    )
    parser.add_argument(
        "--to",
        metavar="SNAP[.VIEW]",
        default="",
        help="run only this snap and those before it; show only this view of it",
    )
    parser.add_argument(
        "--from",
        dest="start",
        metavar="SNAP",
        default="",
        help="run only this snap and those after it, with what the last preview, or a pin file, "
        "has for it",
    )
    parser.add_argument(
        "--doc",
        dest="document",
        metavar="[SNAP:]N",
        default="",
        help="follow document N of the first source, or of those that leave SNAP, and all that "
        "comes from it",
    )
    parser.add_argument(
        "--limit",
        metavar="N",
        type=positive,
        default=50,
        help="documents to take from each source (default: 50)",
    )
    parser.add_argument(
        "--show",
        metavar="N",
        type=positive,
        default=10,
        help="documents to show of each link on a terminal (default: 10)",
    )
    parser.add_argument(
        "--input",
        dest="inputs",
        metavar="[VIEW=]FILE",
        action="append",
        default=[],
        help="documents for an open input, as in 'engine run'; may be repeated, with the name of "
        "the input (LABEL or LABEL.VIEW) if there are several",
    )
    add_parameters(parser)
    parser.add_argument(
        "--allow-rest", action="store_true", help="let snaps read from other hosts: HTTP, S3"
    )
    parser.add_argument("--allow-sql", action="store_true", help="let snaps read from databases")
    parser.add_argument(
        "--no-cache",
        action="store_true",
        help="run all snaps, even if nothing has changed since the last preview",
    )
    parser.add_argument(
        "--watch",
        action="store_true",
        help="preview again whenever a file of the pipeline changes, and mark what is different",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print JSON lines, as in a pipe: label, view, number and document",
    )
    parser.add_argument(
        "--timezone", metavar="ZONE", default="UTC", help="time zone of expressions (default: UTC)"
    )


def run(arguments: argparse.Namespace) -> int:
    """0 if it ran to its end, 1 if the pipeline failed, 2 if it could not be started."""
    registry = discover()
    try:
        with reserve_stdout() as out:
            if not arguments.watch:
                preview = _preview(arguments, registry)
                _print(preview, None, arguments, out)
                return 1 if preview.has_failed else 0
            refuse_watching_stdin(arguments.pipeline)
            must_restart = _watch(arguments, registry, out)
    except InvalidPipelineError:
        _refuse_other_kinds(arguments.pipeline)
        raise
    if must_restart:  # only now: standard output is the process's own again
        restart()
    return 0


def _refuse_other_kinds(file: str) -> None:
    """Say what a file is, instead of all that makes it no pipeline."""
    if is_pin_file(file):
        raise ConfigurationError(
            f"{file!r} is a pin file; preview its pipeline, which uses it"
        ) from None
    if is_test_file(file):
        raise ConfigurationError(f"{file!r} is a test file; preview its pipeline") from None
    if is_task_file(file):
        raise ConfigurationError(
            f"{file!r} is a task file; preview the pipeline that it names"
        ) from None


def _preview(arguments: argparse.Namespace, registry: Registry) -> Preview:
    spec = given_pipeline(arguments.pipeline, registry)
    allowed = {"network": arguments.allow_rest, "database": arguments.allow_sql}
    request = Request(
        to=arguments.to,
        start=arguments.start,
        limit=arguments.limit,
        document=arguments.document,
        allowed=frozenset(name for name, is_allowed in allowed.items() if is_allowed),
        parameters=given_parameters(arguments, [each.name for each in spec.parameters]),
        timezone=arguments.timezone,
        keeps=arguments.pipeline != STDIN,
        afresh=arguments.no_cache,
    )
    planned = plan_preview(spec, registry, request)
    if arguments.pipeline == STDIN in [text.rpartition("=")[2] for text in arguments.inputs]:
        raise ConfigurationError(
            "--input -: standard input is the pipeline; give the documents in a file"
        )
    files = _input_files(planned.plan, arguments.inputs)
    inputs = {port: documents_of(file) for port, file in files.items()}
    request = msgspec.structs.replace(request, input_files=files)
    print_problems(planned.plan.warnings, sys.stderr)
    return asyncio.run(_run(planned, registry, request, inputs))


def _print(
    preview: Preview, changes: Changes | None, arguments: argparse.Namespace, out: TextIO
) -> None:
    if arguments.json or not out.isatty():
        print_lines(preview, out, sys.stderr, changes)
        return
    from engine.cli.preview_page import print_preview  # a pipe needs no tables

    print_preview(preview, out, arguments.show, changes)
    out.flush()


def _watch(arguments: argparse.Namespace, registry: Registry, out: TextIO) -> bool:
    from engine.cli.preview_watch import watch  # few previews are watched

    given = [text.rpartition("=")[2] for text in arguments.inputs]
    if "-" in given:
        raise ConfigurationError("--watch reads its input again and again; give a file, not -")
    files = [
        arguments.pipeline,
        pin_file(arguments.pipeline),
        *given,
        *arguments.parameter_files,
    ]
    return watch(
        lambda: _preview(arguments, registry),
        lambda preview, changes: _print(preview, changes, arguments, out),
        files,
        own_code(registry, arguments.pipeline),
    )


async def _run(
    planned: PreviewPlan,
    registry: Registry,
    request: Request,
    inputs: dict[str, Iterator[list[Item]]],
) -> Preview:
    stopper = Stopper()
    try:
        with stopped_by_signals(stopper):
            return await run_preview(
                planned,
                registry,
                request,
                inputs=inputs,
                show=_show,
                load=spec_of,
                stopper=stopper,
            )
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def _show(label: str, text: str) -> None:
    """A line that a snap prints, such as the progress of an installation."""
    print(visible(f"{label} | {text}"), file=sys.stderr, flush=True)


def _input_files(plan: Plan, given: list[str]) -> dict[str, str]:
    """The file with the documents of each open input, by its name."""
    ports = {str(port): port for port in plan.open_inputs}
    ports |= {port.label: port for port in reversed(plan.open_inputs)}
    names = ", ".join(map(str, plan.open_inputs))
    files: dict[str, str] = {}
    for text in given:
        name, equals, file = text.partition("=")
        if not plan.open_inputs:
            raise ConfigurationError(
                "--input needs an open input, and none is left: the snaps that are previewed get "
                "their documents from others"
            )
        if not equals or name not in ports:
            if len(plan.open_inputs) > 1:
                raise ConfigurationError(
                    f"--input {text!r} must say which open input it is for, as in "
                    f"{plan.open_inputs[0]}=FILE; the open inputs are: {names}"
                )
            name, file = str(plan.open_inputs[0]), text
        port = str(ports[name])
        if port in files:
            raise ConfigurationError(f"--input: {port!r} is given twice")
        files[port] = file
    return files
