"""The command line: one file per command, each of which parses, calls, prints and exits.

Exit codes: 0 success, 1 the pipeline failed, 2 the pipeline or the command line is invalid, 130
stopped, 141 the reader of the output has gone.

Only the module of the given command is imported, so `--help` imports nothing of the engine.
"""

from __future__ import annotations

import argparse
import codecs
import importlib
import io
import keyword
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from types import ModuleType
from typing import TextIO

from engine.cli.exit_codes import BROKEN_PIPE, STOPPED

_COMMANDS = {
    "run": "run a pipeline",
    "preview": "show what a pipeline makes of its first documents",
    "validate": "check pipeline and task files without running them",
    "graph": "draw a pipeline",
    "plan": "show how a pipeline would run on several cores",
    "test": "run the cases of test files",
    "snaps": "list the installed snaps, or explain one",
    "functions": "list the functions of expressions, or explain one",
    "eval": "evaluate an expression, or open a prompt",
    "format": "indent and space pipeline, task, test and account files",
    "lsp": "serve editors that speak the Language Server Protocol",
    "schema": "print a JSON Schema for editors that complete and check files",
    "new": "write a new pipeline, snap, task, test or project",
    "serve": "host pipelines as tasks",
    "tasks": "show and steer the tasks that run on this machine",
    "token": "make a bearer token for the callers of a task",
    "openapi": "print the OpenAPI document of tasks",
    "tap": "show documents that cross the links of a hosted task",
    "history": "show the latest runs of a scheduled task",
    "executor": "run scripts for engines on other hosts",
    "import": "turn files exported from SnapLogic into a project",
    "export": "write a pipeline as a file that SnapLogic can import",
    "coverage": "show how much of a folder of exports would run here",
    "completion": "print the script that completes commands in a shell",
}
"""Each command and its help. Its module has the same name, with an underscore if need be."""


def main(arguments: Sequence[str], begin: Callable[[], None] = lambda: None) -> int:
    """Run one command; its exit code. `begin` is called once everything it needs is imported."""
    _prepare_streams()
    try:
        try:
            return _command(arguments, begin)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _discard_output(sys.stdout, sys.stderr)
        return BROKEN_PIPE
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return STOPPED
    except OSError as error:
        print(f"engine: cannot continue: {error}", file=sys.stderr)
        _discard_output(sys.stdout)
        return 1


def build_parser(
    commands: Iterable[str] | None = None, *, listed: Iterable[str] = _COMMANDS
) -> argparse.ArgumentParser:
    """The parser of the command line, with the arguments of some commands (None: of all).

    The arguments of a command are in its module, which imports what the command needs. Commands
    that are not `listed` are unknown: argparse needs a tenth of a millisecond for each.
    """
    parser = argparse.ArgumentParser(
        prog="engine", description="Runs snap pipelines.", formatter_class=_HelpFormatter
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    added = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="command", required=True, prog="engine"
    )
    chosen = set(_COMMANDS if commands is None else commands)
    for name in listed:
        command = added.add_parser(name, help=_COMMANDS[name], formatter_class=_HelpFormatter)
        if name in chosen:
            _module(name).add_arguments(command)
            command.set_defaults(parser=command)
    return parser


def _module(command: str) -> ModuleType:
    return importlib.import_module(f"{__name__}.{command}{'_' * keyword.iskeyword(command)}")


def _command(arguments: Sequence[str], begin: Callable[[], None]) -> int:
    name = next((argument for argument in arguments if argument in _COMMANDS), "")
    is_first = arguments[:1] == [name]  # otherwise, --help of `engine` may be among them
    chosen = [name] if name else []
    parser = build_parser(chosen, listed=chosen if is_first else _COMMANDS)
    if not arguments:
        parser.print_help(sys.stderr)
        return 2
    if not name:
        _refuse_unknown_command(parser, arguments)
        parser.parse_args(arguments)  # --help, --version, or an error
    options, unknown = parser.parse_known_args(arguments)
    if unknown:  # argparse would show the usage of `engine` instead of that of the command
        message = f"unknown arguments: {' '.join(unknown)}"
        known = options.parser._option_string_actions  # argparse offers no other list
        hint = _did_you_mean(unknown[0].partition("=")[0], known)
        options.parser.error(f"{message}; {hint}" if hint else message)
    from engine.cli.errors import run_command  # only now: the parser may end the command

    begin()
    return run_command(_module(name).run, options)


def _refuse_unknown_command(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> None:
    for given in arguments[:1]:
        if not given.startswith("-"):
            commands = f"the commands are: {', '.join(_COMMANDS)}"
            hint = _did_you_mean(given, _COMMANDS) or commands
            parser.error(f"there is no command {given!r}; {hint}")


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint to the known names that resemble the given one; empty if there are none."""
    from engine.sdk.settings import nearest_hint  # only for mistakes: it imports half the engine

    return nearest_hint(name, known)


class _HelpFormatter(argparse.HelpFormatter):
    """Finds the width of the terminal without `shutil`, which imports all of Python's compression.

    argparse makes a formatter for every argument, whether help is shown or not.
    """

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=terminal_columns() - 2)

    def add_argument(self, action: argparse.Action) -> None:
        """Leave room for the longest command: argparse forgets that commands are indented."""
        super().add_argument(action)
        if isinstance(action, argparse._SubParsersAction):
            self._action_max_length += self._indent_increment


def terminal_columns(stream: TextIO | None = None) -> int:
    """The width of the terminal that standard output, or this stream, goes to; 80 for anything else
    unless COLUMNS says otherwise."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return int(columns)
    try:
        out = sys.__stdout__ if stream is None else stream
        return os.get_terminal_size(out.fileno()).columns or 80  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):  # closed, or not a terminal
        return 80


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *asked: object) -> None:
        from engine.registry.packages import engine_version  # other commands may not need it

        print(f"snapline {engine_version()}")
        parser.exit()


_ESCAPING = "engine.escaping"


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Characters that a stream cannot encode, as JSON and people can read them."""
    assert isinstance(error, UnicodeEncodeError)  # nothing is decoded
    text = error.object[error.start : error.end]
    units = text.encode("utf-16-be", "surrogatepass")
    pairs = zip(units[::2], units[1::2], strict=True)
    return "".join(f"\\u{high:02x}{low:02x}" for high, low in pairs), error.end


codecs.register_error(_ESCAPING, _escaped)


def _prepare_streams() -> None:
    """Discard output to closed streams, and escape characters that a stream cannot encode."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115, PTH123  # open until the process exits
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ESCAPING)


def _discard_output(*streams: TextIO) -> None:
    """Discard what is still buffered: Python flushes again at exit and would fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        with suppress(OSError, ValueError):  # a stream in memory has no descriptor
            os.dup2(nowhere, stream.fileno())
