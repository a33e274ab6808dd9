"""`engine preview`: run a pipeline on its first documents, without side effects, and show them."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator

from engine.api.checking import is_task_file, spec_of
from engine.cli.inputs import documents_of
from engine.cli.options import add_parameters, given_parameters, positive
from engine.cli.preview_lines import print_lines
from engine.cli.problems import print_problems
from engine.cli.reserved import reserve_stdout
from engine.cli.stopping import stopped_by_signals
from engine.documents import Item
from engine.errors import ConfigurationError
from engine.plan import Plan
from engine.preview import Preview, PreviewPlan, Request, plan_preview, run_preview
from engine.registry import Registry, discover
from engine.run.stopping import Stopper


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pipeline", metavar="PIPELINE", help="a pipeline file")
    parser.add_argument(
        "--to",
        metavar="SNAP[.VIEW]",
        default="",
        help="run only this snap and those before it; show only this view of it",
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
    if is_task_file(arguments.pipeline):
        raise ConfigurationError(
            f"{arguments.pipeline!r} is a task file; preview the pipeline that it names"
        )
    allowed = {"network": arguments.allow_rest, "database": arguments.allow_sql}
    spec = spec_of(arguments.pipeline, registry)
    request = Request(
        to=arguments.to,
        limit=arguments.limit,
        document=arguments.document,
        allowed=frozenset(name for name, is_allowed in allowed.items() if is_allowed),
        parameters=given_parameters(arguments, [each.name for each in spec.parameters]),
        timezone=arguments.timezone,
    )
    planned = plan_preview(spec, registry, request)
    inputs = _inputs(planned.plan, arguments.inputs)
    print_problems(planned.plan.warnings, sys.stderr)
    with reserve_stdout() as out:
        preview = asyncio.run(_run(planned, registry, request, inputs))
        if arguments.json or not out.isatty():
            print_lines(preview, out, sys.stderr)
        else:
            from engine.cli.preview_page import print_preview  # a pipe needs no tables

            print_preview(preview, out, arguments.show)
    return 1 if preview.has_failed else 0


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
    print(f"{label} | {text}", file=sys.stderr, flush=True)


def _inputs(plan: Plan, given: list[str]) -> dict[str, Iterator[list[Item]]]:
    """The documents of each open input, by its name."""
    ports = {str(port): port for port in plan.open_inputs}
    ports |= {port.label: port for port in reversed(plan.open_inputs)}
    names = ", ".join(map(str, plan.open_inputs))
    inputs: dict[str, Iterator[list[Item]]] = {}
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
        if port in inputs:
            raise ConfigurationError(f"--input: {port!r} is given twice")
        inputs[port] = documents_of(file)
    return inputs
