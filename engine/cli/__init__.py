"""The command line: one file per command, each of which parses, calls, prints and exits.

Exit codes: 0 done, 1 the pipeline failed, 2 the pipeline or the command line is wrong, 130 stopped.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

from engine.cli import eval as eval_command
from engine.cli import executor, history, run, serve, tasks, validate
from engine.errors import ConfigurationError, EngineError, InvalidPipelineError

STOPPED = 130


def main(arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    parser = argparse.ArgumentParser(prog="engine", description="Runs snap pipelines.")
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (run, validate, eval_command, serve, tasks, history, executor):
        command.add_parser(commands)
    _prepare_streams()
    try:
        options = parser.parse_args(arguments)
        return int(options.command(options))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return STOPPED
    except BrokenPipeError:
        # The reader of our output has gone; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"engine: cannot go on: {error}", file=sys.stderr)
        return 1
    except InvalidPipelineError as error:
        print(error, file=sys.stderr)
        return 2
    except ConfigurationError as error:
        print(f"engine: {error}", file=sys.stderr)
        return 2
    except EngineError as error:
        print(f"engine: {error}", file=sys.stderr)
        return 1


class _Version(argparse.Action):
    """Looks the version up when it is asked for: that takes a hundredth of a second."""

    def __call__(self, parser: argparse.ArgumentParser, *asked: object) -> None:
        from importlib.metadata import version

        print(f"snapline {version('snapline')}")
        parser.exit()


def _prepare_streams() -> None:
    """A closed stream swallows what goes there; a character that a terminal lacks is escaped."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115, PTH123  # as long as we live
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
