"""`engine run --tap`: shows documents that cross links while a pipeline runs."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.cli import terminal_columns
from engine.cli.display import Display
from engine.cli.tap_output import TapOutput, readable_item
from engine.errors import ConfigurationError
from engine.plan.graph import downstream
from engine.plan.plan import Plan
from engine.run.tap_points import check_condition, tap_points
from engine.run.taps import Tap, Taps


class RunTaps:
    """The taps of the command line. In their `plan`, documents have all fields where they are
    tapped, not only those that the pipeline reads."""

    def __init__(self, arguments: argparse.Namespace, plan: Plan) -> None:
        """Raises ConfigurationError if the pipeline has no such view."""
        try:
            self._ports = tap_points(arguments.taps, plan)
        except ConfigurationError as error:
            raise ConfigurationError(f"--tap: {error}") from None
        if arguments.filter:
            check_condition(arguments.filter, plan)
        upstream = [(link.target.label, link.source.label) for link in plan.links]
        tapped = downstream((port.label for port in self._ports), upstream)
        self.plan = plan.with_all_fields(tapped)
        self._limit = arguments.tap_limit or None
        self._condition = arguments.filter
        self._file = arguments.tap_file

    @contextmanager
    def open(self, display: Display) -> Iterator[Taps]:
        """The taps for a run. At the end it says how many documents were left out."""
        with _writer(self._file, display) as write:
            output = TapOutput(write)
            tap = Tap(self._ports, output.put, limit=self._limit, condition=self._condition)
            try:
                yield Taps([tap])
            finally:
                output.close()
        if output.lost:
            display.line(
                f"taps: {output.lost:,} documents were not shown, as the reader was too slow"
            )


@contextmanager
def _writer(file: str | None, display: Display) -> Iterator[Callable[[bytes], None]]:
    if file is not None:
        try:
            opened = Path(file).open("wb", buffering=0)  # noqa: SIM115  # closed below
        except OSError as error:
            raise ConfigurationError(
                f"--tap-file: cannot write {file!r}: {error.strerror}"
            ) from None
        with opened:
            yield lambda lines: _write_all(opened, lines)
    elif sys.stderr.isatty():
        width = terminal_columns()
        yield lambda lines: display.line(_readable(lines, width))
    else:
        yield lambda lines: display.line(lines[:-1].decode())


def _write_all(file: io.FileIO, data: bytes) -> None:
    while data:
        data = data[file.write(data) :]


def _readable(lines: bytes, width: int) -> str:
    texts = (text for line in lines.splitlines() for text in readable_item(line, width))
    return "\n".join(texts)
