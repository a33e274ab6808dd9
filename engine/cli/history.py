"""`engine history`: the latest runs of a scheduled task."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path

from engine.cli.columns import columns
from engine.errors import ConfigurationError


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("history", help="show the latest runs of a scheduled task")
    parser.add_argument("task", metavar="TASK", help="a task file")
    parser.add_argument("--state", metavar="FOLDER", help="as it was given to engine serve")
    parser.add_argument("--runs", type=int, default=20, metavar="N", help="how many (default: 20)")
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """0, whatever became of the runs."""
    from engine.tasks.runs.history import History

    if not Path(arguments.task).is_file():
        raise ConfigurationError(f"there is no task file {arguments.task!r}")
    history = History(arguments.state)
    try:
        runs = history.recent(str(Path(arguments.task).absolute()), arguments.runs)
    finally:
        history.close()
    if not runs:
        print("this task has no history yet", file=sys.stderr)
        return 0
    rows = [
        (
            _shown(each.scheduled_at),
            each.status,
            _seconds(each.started_at, each.finished_at),
            each.message.partition("\n")[0],
        )
        for each in runs
    ]
    print(columns([("scheduled at (UTC)", "status", "seconds", "message"), *rows], right=(2,)))
    return 0


def _shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _seconds(start: datetime | None, end: datetime | None) -> str:
    return "" if start is None or end is None else f"{(end - start).total_seconds():.1f}"
