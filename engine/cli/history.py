"""`engine history`: the latest runs of a scheduled task."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.columns import columns
from engine.errors import ConfigurationError, InvalidPipelineError

if TYPE_CHECKING:
    from engine.tasks.scheduled.history import RunRecord


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task", metavar="TASK", help="a task file")
    parser.add_argument(
        "--state", metavar="FOLDER", help="the folder given to engine serve --state"
    )
    parser.add_argument(
        "--runs", type=int, default=20, metavar="N", help="number of runs to show (default: 20)"
    )


def run(arguments: argparse.Namespace) -> int:
    """0, whether the runs succeeded or not. Creates no database if there is none."""
    path, state, number = arguments.task, arguments.state, arguments.runs
    if number < 1:
        raise ConfigurationError(f"--runs must be at least 1, not {number}")
    if not Path(path).is_file():
        raise ConfigurationError(f"there is no task file {path!r}")
    if runs := _recent(path, state, min(number, sys.maxsize)):
        print(_table(runs, _timezone(path)))
    else:
        _explain_empty_history(path, state)
    return 0


def _recent(path: str, state: str | None, number: int) -> list[RunRecord]:
    from engine.tasks.scheduled.history import History, database

    if not database(state).exists():
        return []
    with History(state) as history:
        return history.recent(str(Path(path).absolute()), number)


def _table(runs: Iterable[RunRecord], timezone: str) -> str:
    from engine.tasks.definition.schedule import local_time

    rows = [
        (
            local_time(each.scheduled_at, timezone),
            each.status,
            _seconds(each.started_at, each.finished_at),
            _summary(each.message),
        )
        for each in runs
    ]
    return columns([("scheduled at", "status", "seconds", "message"), *rows], right=(2,))


def _explain_empty_history(path: str, state: str | None) -> None:
    """Print why there are no runs. Raises ConfigurationError if a first run is not the reason."""
    from engine.tasks.scheduled.history import database

    _check_is_scheduled(path)
    place = database(state)
    if state and not place.exists():
        raise ConfigurationError(
            f"no history of scheduled runs in {state!r}; "
            "give the folder that 'engine serve --state' uses"
        )
    hint = "" if state else "; if 'engine serve' runs with --state, give the same folder here"
    print(f"this task has no history yet in '{place.parent}'{hint}", file=sys.stderr)


def _check_is_scheduled(path: str) -> None:
    from engine.tasks.definition.task_file import is_task_file, load_task

    if not is_task_file(path):
        raise ConfigurationError(
            f"{path!r} is a pipeline file; only scheduled tasks have a history: "
            "give the file of a scheduled task"
        )
    file = load_task(path, environment=None)
    if file.task is None:
        raise InvalidPipelineError(file.problems)
    if file.task.type != "scheduled":
        raise ConfigurationError(
            f"the task in {path!r} is of type {file.task.type!r}; only scheduled tasks have a "
            "history: see its requests in the log of 'engine serve' and in 'engine tasks'"
        )


def _timezone(path: str) -> str:
    """The time zone of the schedule; UTC if the file is no longer valid."""
    from engine.tasks.definition.task_file import load_task

    task = load_task(path, environment=None).task
    return task.schedule.timezone if task is not None and task.schedule is not None else "UTC"


def _summary(message: str) -> str:
    """The first line; for a failed snap also the next one, which is the reason."""
    what, _, more = message.partition("\n")
    reason = more.strip().partition("\n")[0]
    return f"{what}: {reason}" if reason and what.endswith(" failed") else what


def _seconds(start: datetime | None, end: datetime | None) -> str:
    return "" if start is None or end is None else f"{(end - start).total_seconds():.1f}"
