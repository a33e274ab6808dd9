"""`engine openapi`: print the OpenAPI document of task files, without a server."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from engine.cli.problems import print_problems


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help="task files, or pipeline files")
    parser.add_argument(
        "--server",
        metavar="URL",
        default="/",
        help="where the tasks are served (default: where the document is found)",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="write it to this file")


def run(arguments: argparse.Namespace) -> int:
    """0; 2 if a file is wrong. Variables of the environment need not be set."""
    from engine.registry import discover
    from engine.run.files.complete import write_complete
    from engine.tasks.definition.loading import load_for_description
    from engine.tasks.openapi.document import openapi_json

    loaded = load_for_description(
        arguments.files, discover(), lambda problem: print_problems([problem], sys.stderr)
    )
    text = openapi_json(((each.task, each.plan) for each in loaded), arguments.server) + b"\n"
    if arguments.output is None:
        sys.stdout.write(text.decode())
    else:
        write_complete(Path(arguments.output), text)
        print(f"wrote {arguments.output}")
    return 0
