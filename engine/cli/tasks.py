"""`engine tasks`: show the tasks that the servers of this user host."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

import msgspec

from engine.cli.columns import columns

if TYPE_CHECKING:
    from engine.tasks.server.control import ServerState, TaskState

_TEXT_COLUMNS = ("task", "type", "state", "url", "next run")
_NUMBER_COLUMNS = ("processes", "requests/runs", "errors", "queued", "p50 ms", "p99 ms", "server")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, one line per server")


def run(arguments: argparse.Namespace) -> int:
    """Always 0."""
    from engine.tasks.server.control import servers

    found = list(servers())
    if arguments.json:
        for server in found:
            sys.stdout.write(msgspec.json.encode(server).decode() + "\n")
    elif found:
        rows = [_row(server, task) for server in found for task in server.tasks]
        figures = range(len(_TEXT_COLUMNS), len(_TEXT_COLUMNS) + len(_NUMBER_COLUMNS))
        print(columns([(*_TEXT_COLUMNS, *_NUMBER_COLUMNS), *rows], right=figures))
    else:
        print("no tasks are running; start one with: engine serve FILE", file=sys.stderr)
    return 0


def _row(server: ServerState, task: TaskState) -> tuple[str, ...]:
    counts = (task.instances, task.requests, task.errors, task.queued)
    return (
        task.name,
        task.type,
        task.state,
        task.url,
        _next_run(task),
        *map(str, counts),
        _milliseconds(task.p50),
        _milliseconds(task.p99),
        str(server.pid),
    )


def _next_run(task: TaskState) -> str:
    return (task.next_run or "none") if task.type == "scheduled" else ""


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1000:.2f}"
