"""`engine tap`: show documents that cross the links of a hosted task."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import msgspec

from engine.cli import terminal_columns
from engine.cli.options import positive
from engine.cli.running_servers import server_of
from engine.cli.tap_output import readable_item
from engine.errors import ConfigurationError

if TYPE_CHECKING:
    pass


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "task",
        metavar="TASK[/SNAP[.VIEW]]",
        help="a task that runs on this machine, and the snap or view whose documents to show, "
        "perhaps with wildcards (default: all)",
    )
    parser.add_argument(
        "--filter",
        metavar="EXPRESSION",
        default="",
        help="show only documents for which this is true, such as '$total > 100'",
    )
    parser.add_argument(
        "--limit", metavar="N", type=positive, help="end after so many documents (default: Ctrl-C)"
    )
    parser.add_argument(
        "--json", action="store_true", help="print JSON lines, as in a pipe, on a terminal too"
    )
    parser.add_argument(
        "--server",
        metavar="PID",
        type=positive,
        help="the server, if several host a task of this name; see 'engine tasks'",
    )


def run(arguments: argparse.Namespace) -> int:
    """0 once the limit is reached or the user ends it, 1 if the server ends, 2 for a wrong name."""
    from engine.tasks.server.control import tap

    name, _, view = arguments.task.partition("/")
    server = server_of(name, arguments.server)
    width = 0 if arguments.json or not sys.stdout.isatty() else terminal_columns()
    try:
        with closing(tap(server, name, view or "*", arguments.filter)) as lines:
            return _show(lines, arguments.limit, width)
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        raise ConfigurationError(f"the server {server.pid} does not answer: {error}") from None


def _show(lines: Iterator[bytes], limit: int | None, width: int) -> int:
    """Print documents; readable ones of a `width` that is not 0."""
    shown = 0
    for line in lines:
        if not line.startswith(b'{"label"'):
            _note(msgspec.json.decode(line))
            continue
        text = "\n".join(readable_item(line, width)) + "\n" if width else line.decode()
        sys.stdout.write(text)
        sys.stdout.flush()
        shown += 1
        if shown == limit:
            return 0
    print("the server has ended", file=sys.stderr)
    return 1


def _note(message: dict[str, Any]) -> None:
    if "missed" in message:
        count = message["missed"]
        documents = "1 document was" if count == 1 else f"{count:,} documents were"
        print(f"{documents} not shown, so that the task is not slowed down", file=sys.stderr)
    else:
        print(f"tapping {', '.join(message['tapping'])}; Ctrl-C ends it", file=sys.stderr)
