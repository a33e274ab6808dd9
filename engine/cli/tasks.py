"""`engine tasks`: what the servers of this user host."""

from __future__ import annotations

import argparse
import sys

import msgspec


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("tasks", help="show the tasks that run on this machine")
    parser.add_argument("--json", action="store_true", help="as JSON, a server a line")
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """0, whatever runs."""
    from rich.console import Console
    from rich.table import Table

    from engine.tasks.control import servers

    found = list(servers())
    if arguments.json:
        for server in found:
            sys.stdout.write(msgspec.json.encode(server).decode() + "\n")
        return 0
    if not found:
        print("no task runs; start one with: engine serve FILE", file=sys.stderr)
        return 0
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("task", "type", "state", "url"):
        table.add_column(title, overflow="fold")
    for title in ("instances", "requests", "errors", "queued", "p50 ms", "p99 ms", "pid"):
        table.add_column(title, justify="right")
    for server in found:
        for task in server.tasks:
            table.add_row(
                task.name,
                task.type,
                task.state,
                task.url,
                *(str(count) for count in (task.instances, task.requests, task.errors)),
                str(task.queued),
                _milliseconds(task.p50),
                _milliseconds(task.p99),
                str(server.pid),
            )
    Console().print(table)
    return 0


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1000:.2f}"
