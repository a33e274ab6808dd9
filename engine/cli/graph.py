"""`engine graph`: draw a pipeline, in the terminal or into a file."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from engine import api
from engine.api.checking import spec_of
from engine.cli import terminal_columns
from engine.cli.problems import has_colours
from engine.diagram.counts import read_counts, with_counts
from engine.diagram.diagram import Diagram, diagram_of
from engine.errors import ConfigurationError, InvalidPipelineError
from engine.pipeline.case_files import is_test_file
from engine.pipeline.pin_files import is_pin_file
from engine.registry import discover
from engine.run.files.complete import write_complete

_WRITERS = {
    ".svg": ("svg", "svg"),
    ".html": ("page", "page"),
    ".mmd": ("mermaid", "mermaid"),
    ".json": ("data", "json_text"),
}
"""For each extension, the module of engine.diagram and its function."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pipeline", metavar="PIPELINE", help="a pipeline file")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help=f"the file to write: {_extensions()} (default: draw it here)",
    )
    parser.add_argument(
        "--report",
        metavar="FILE",
        help="show the counts of a run, from the report that 'engine run --report FILE' wrote",
    )


def run(arguments: argparse.Namespace) -> int:
    """0 if it was drawn, even if the pipeline has mistakes."""
    _check_output(arguments.output)
    diagram = _diagram(arguments.pipeline)
    if arguments.report:
        diagram = with_counts(diagram, read_counts(arguments.report))
    if diagram.problems:
        errors = "1 error" if diagram.problems == 1 else f"{diagram.problems} errors"
        print(
            f"{arguments.pipeline} has {errors}; it is drawn as far as it can be read: "
            f"see 'engine validate {arguments.pipeline}'",
            file=sys.stderr,
        )
    if arguments.output:
        _write(diagram, Path(arguments.output))
        print(f"{arguments.pipeline} -> {arguments.output}")
    else:
        _draw(diagram)
    return 0


def _check_output(output: str | None) -> None:
    if output and Path(output).suffix.lower() not in _WRITERS:
        raise ConfigurationError(
            f"a graph cannot be written as {output!r}; its name must end in {_extensions()}"
        )


def _extensions() -> str:
    *others, last = _WRITERS
    return f"{', '.join(others)} or {last}"


def _diagram(path: str) -> Diagram:
    registry = discover()
    spec = spec_of(path, registry)
    if not spec.snaps:
        if api.is_task_file(path):
            raise ConfigurationError(f"{path!r} is a task file; draw the pipeline that it names")
        if is_test_file(path) or is_pin_file(path):
            raise ConfigurationError(f"{path!r} is not a pipeline; draw the one beside it")
        raise InvalidPipelineError(api.check(path, registry))
    return diagram_of(spec, registry)


def _write(diagram: Diagram, path: Path) -> None:
    module, function = _WRITERS[path.suffix.lower()]
    writer = getattr(importlib.import_module(f"engine.diagram.{module}"), function)
    write_complete(path, writer(diagram).encode())


def _draw(diagram: Diagram) -> None:
    """Boxes if they fit the terminal; otherwise a list with rails. A pipe has any width."""
    from engine.diagram.rails import rails
    from engine.diagram.terminal import boxes, characters_of

    characters, colours = characters_of(sys.stdout.encoding), has_colours(sys.stdout)
    columns = terminal_columns()
    width = columns if sys.stdout.isatty() else None
    lines = boxes(diagram, characters, width=width, has_colours=colours)
    if lines is None:
        lines = rails(diagram, characters, columns, has_colours=colours)
    print("\n".join(lines))
