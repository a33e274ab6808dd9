"""The command line: one file per command, each of which parses, calls, prints and exits.

Exit codes: 0 success, 1 the pipeline failed, 2 the pipeline or the command line is invalid, 130
stopped, 141 the reader of the output has gone.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TextIO

from engine.cli import eval as eval_command
from engine.cli import executor, history, run, serve, tasks, validate
from engine.cli.display import BROKEN_PIPE
from engine.cli.problems import print_problems
from engine.cli.stopping import STOPPED
from engine.errors import ConfigurationError, EngineError, InvalidPipelineError


def main(arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    _prepare_streams()
    try:
        try:
            return _command(arguments)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _discard_output(sys.stdout, sys.stderr)
        return BROKEN_PIPE
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return STOPPED
    except InvalidPipelineError as error:
        print_problems(error.problems, sys.stderr)
        return 2
    except ConfigurationError as error:
        print(f"engine: {error}", file=sys.stderr)
        return 2
    except EngineError as error:
        print(f"engine: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"engine: cannot continue: {error}", file=sys.stderr)
        _discard_output(sys.stdout)
        return 1


def _command(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="engine", description="Runs snap pipelines.")
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="command_name", required=True
    )
    for command in (run, validate, eval_command, serve, tasks, history, executor):
        command.add_parser(commands)
    options, unknown = parser.parse_known_args(arguments)
    if unknown:  # argparse would show the usage of `engine` instead of that of the command
        commands.choices[options.command_name].error(f"unknown arguments: {' '.join(unknown)}")
    return int(options.command(options))


class _Version(argparse.Action):
    """Looks up the version only on request, because that takes 10 ms."""

    def __call__(self, parser: argparse.ArgumentParser, *asked: object) -> None:
        from importlib.metadata import version

        print(f"snapline {version('snapline')}")
        parser.exit()


def _prepare_streams() -> None:
    """Discard output to closed streams, and escape characters that a stream cannot encode."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115, PTH123  # open until the process exits
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _discard_output(*streams: TextIO) -> None:
    """Discard what is still buffered: Python flushes again at exit and would fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        with suppress(OSError, ValueError):  # a stream in memory has no descriptor
            os.dup2(nowhere, stream.fileno())
