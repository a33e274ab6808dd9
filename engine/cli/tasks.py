"""`engine tasks`: what the servers of this user host."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from engine.tasks.control import ServerState, TaskState

_TITLES = ("task", "type", "state", "url", "processes", "requests", "errors", "queued")
_FIGURES = ("p50 ms", "p99 ms", "server")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("tasks", help="show the tasks that run on this machine")
    parser.add_argument("--json", action="store_true", help="as JSON, a server a line")
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """0, whatever runs."""
    from engine.tasks.control import servers

    found = list(servers())
    if arguments.json:
        for server in found:
            sys.stdout.write(msgspec.json.encode(server).decode() + "\n")
    elif found:
        rows = [_row(server, task) for server in found for task in server.tasks]
        print(_table([(*_TITLES, *_FIGURES), *rows]))
    else:
        print("no task runs; start one with: engine serve FILE", file=sys.stderr)
    return 0


def _row(server: ServerState, task: TaskState) -> tuple[str, ...]:
    counts = (task.instances, task.requests, task.errors, task.queued)
    return (
        task.name,
        task.type,
        task.state,
        task.url,
        *map(str, counts),
        _milliseconds(task.p50),
        _milliseconds(task.p99),
        str(server.pid),
    )


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1000:.2f}"


def _table(rows: list[tuple[str, ...]]) -> str:
    """Columns as wide as they need to be; words to the left, figures to the right."""
    words = _TITLES.index("url") + 1
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            text.ljust(width) if place < words else text.rjust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(lines)
