"""`engine run`: run one pipeline and show what it does."""

from __future__ import annotations

import argparse
import asyncio
import gc
import signal
import sys
from pathlib import Path

import msgspec

from engine import api
from engine.cli.display import Display, choose_display
from engine.cli.options import add_parameters
from engine.plan.plan import Plan
from engine.registry import Registry, discover


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("run", help="run a pipeline")
    parser.add_argument("pipeline", metavar="PIPELINE", help="a pipeline file")
    add_parameters(parser)
    parser.add_argument("--report", metavar="FILE", help="write the run report as JSON to FILE")
    parser.add_argument(
        "--project", metavar="FOLDER", help="what sldb:/// means (default: found from the pipeline)"
    )
    parser.add_argument(
        "--timezone", metavar="ZONE", default="UTC", help="time zone of expressions (default: UTC)"
    )
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """0 if the pipeline completed, 1 if it failed, 2 if it could not be started."""
    registry = discover()
    plan = api.compile_plan(arguments.pipeline, registry, project=arguments.project)
    _collect_garbage_less_often()
    display = choose_display(sys.stdout, sys.stderr)
    try:
        asyncio.run(_run(plan, registry, arguments, display))
    finally:
        if arguments.report and display.report is not None:
            report = msgspec.json.format(msgspec.json.encode(display.report.as_dict()), indent=2)
            Path(arguments.report).write_bytes(report + b"\n")
    return display.exit_code


def _collect_garbage_less_often() -> None:
    """Documents are trees that go when the last list lets go of them; the collector finds nothing.

    With Python's own thresholds it looks at each of them a few times: a sixth of a run's time.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


async def _run(
    plan: Plan, registry: Registry, arguments: argparse.Namespace, display: Display
) -> None:
    task = asyncio.current_task()
    assert task is not None  # asyncio.run made one
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await api.start(
            plan,
            registry,
            parameters=dict(arguments.parameters),
            observer=display,
            timezone=arguments.timezone,
        )
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
