"""`engine tasks`: show the tasks that the servers of this user host, and steer them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Generator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import msgspec

from engine.cli.columns import columns
from engine.cli.options import positive
from engine.cli.running_servers import server_of
from engine.errors import ConfigurationError

if TYPE_CHECKING:
    from engine.tasks.server.states import ServerState, TaskState

_TEXT_COLUMNS = ("task", "type", "state", "url", "next run")
_NUMBER_COLUMNS = ("processes", "requests/runs", "errors", "queued", "p50 ms", "p99 ms", "server")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        metavar="ACTION",
        nargs="?",
        choices=(*_CHANGES, *_VIEWS, "events"),
        help="pause, resume, drain or reload a task, run a scheduled task now, or show its "
        "history, plan or counts, or the events of its server (default: list all tasks)",
    )
    parser.add_argument("task", metavar="NAME", nargs="?", help="the task that the action is about")
    parser.add_argument("--json", action="store_true", help="print JSON, one line per server")
    parser.add_argument(
        "--ready",
        action="store_true",
        help="say nothing and exit with 0 if a server runs and all its tasks are ready; otherwise "
        "name those that are not, and exit with 1",
    )
    parser.add_argument(
        "--server",
        metavar="PID",
        type=positive,
        help="the server, if several host a task of this name",
    )


def run(arguments: argparse.Namespace) -> int:
    """0; 1 if tasks are not ready; 2 if there is no such task, or it cannot be done."""
    if arguments.ready and arguments.action is not None:
        raise ConfigurationError(f"--ready checks all tasks; leave out {arguments.action!r}")
    if arguments.ready:
        return _check_ready()
    if arguments.action is None:
        _list(as_json=arguments.json)
        return 0
    if arguments.task is None:
        raise ConfigurationError(
            f"name a task: engine tasks {arguments.action} NAME; 'engine tasks' lists them"
        )
    from engine.tasks.server.control import ask, stream

    name, action = arguments.task, arguments.action
    server = server_of(name, arguments.server)
    if action == "events":
        return _follow(stream(server.pid, "/events"))
    answer = ask(server.pid, "POST" if action in _CHANGES else "GET", name, action)
    if action in _CHANGES:
        print(msgspec.json.encode(answer).decode() if arguments.json else _done(action, answer))
    else:
        text = msgspec.json.encode(answer)
        print((text if arguments.json else msgspec.json.format(text)).decode())
    return 0


_CHANGES = ("pause", "resume", "drain", "reload", "run")
_VIEWS = ("history", "plan", "counts")


def _done(action: str, state: dict[str, Any]) -> str:
    if action == "run":
        return f"{state['name']}: run started; see engine tasks history {state['name']}"
    effect = "reloaded, " if action == "reload" else ""
    return f"{state['name']}: {effect}{state['state']}"


def _follow(lines: Generator[bytes, None, None]) -> int:
    """Print the data of each event, until Ctrl-C or the end of the server."""
    kind = ""
    try:
        with closing(lines):
            for line in lines:
                field, _, value = line.decode().strip().partition(": ")
                kind = value if field == "event" else kind
                if field == "data":
                    print(f'{{"event":"{kind}",{value[1:]}', flush=True)
    except KeyboardInterrupt:
        pass
    return 0


_READY = ("ready", "paused", "drained")
"""A task that an operator has closed could work, and its server need not be restarted."""


def _check_ready() -> int:
    from engine.tasks.server.control import servers

    found = list(servers())
    waiting = [task for each in found for task in each.tasks if task.state not in _READY]
    if not found:
        print("no server is running", file=sys.stderr)
    for task in waiting:
        print(f"{task.name}: {task.state}", file=sys.stderr)
    return 0 if found and not waiting else 1


def _list(*, as_json: bool) -> None:
    from engine.tasks.server.control import servers

    found = list(servers())
    if as_json:
        for server in found:
            sys.stdout.write(msgspec.json.encode(server).decode() + "\n")
    elif found:
        rows = [_row(server, task) for server in found for task in server.tasks]
        figures = range(len(_TEXT_COLUMNS), len(_TEXT_COLUMNS) + len(_NUMBER_COLUMNS))
        print(columns([(*_TEXT_COLUMNS, *_NUMBER_COLUMNS), *rows], right=figures))
    else:
        print("no tasks are running; start one with: engine serve FILE", file=sys.stderr)


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
