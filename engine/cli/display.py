"""What a run looks like: a live view on a terminal, plain lines elsewhere.

Documents that leave the pipeline go to standard output (pretty on a terminal, JSON lines when
piped); everything about the run goes to standard error, so that pipes stay clean.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol, TextIO

import msgspec

from engine.documents import Batch, StreamEnd, StreamStart
from engine.errors import EngineError
from engine.expressions import json_hook
from engine.plan.plan import Port
from engine.run.report import Report, SnapStatistics
from engine.run.secrets import Secrets

if TYPE_CHECKING:
    from rich.table import Table

LONGEST_TEXT = 200
"""Characters of one value that are shown on a terminal; a model in base64 has millions."""


class Display(Protocol):
    """An observer of a run that knows how it ended."""

    report: Report | None
    exit_code: int

    def started(self, report: Report, secrets: Secrets) -> None: ...
    def show(self, label: str, text: str) -> None: ...
    def output(self, port: Port, batch: Batch) -> None: ...
    def finished(self, report: Report) -> None: ...


def choose_display(out: TextIO, err: TextIO) -> Display:
    """The live view where a person watches, else plain lines."""
    return LiveDisplay(out, err) if err.isatty() else PlainDisplay(out, err)


class PlainDisplay:
    """One line per event; for logs, pipes and CI."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self.report: Report | None = None
        self.exit_code = 1
        self._out = out
        self._err = err
        self._secrets = Secrets()
        self._pretty = out.isatty()
        self._line_is_open = False
        self._writing = threading.Lock()

    def started(self, report: Report, secrets: Secrets) -> None:
        self.report = report
        self._secrets = secrets

    def show(self, label: str, text: str) -> None:
        self._line(f"{label} | {text}")

    def output(self, port: Port, batch: Batch) -> None:
        for item in batch.items:
            self._write_item(item)
        if self._pretty:
            self._out.flush()

    def finished(self, report: Report) -> None:
        self.report = report
        self.exit_code = 0 if report.status == "completed" else 1
        with suppress(OSError):  # the reader has gone, which the run has told already
            self._end_line()
            self._out.flush()
        if report.snaps:
            self._line(_plain_table(report))
        self._line(f"{report.pipeline}: {report.status} in {report.seconds:.1f} s")
        if report.failure:
            self._line(report.failure)

    def _line(self, text: str) -> None:
        with self._writing:
            self._err.write(f"{text}\n")
            self._err.flush()

    def _write_item(self, item: Any) -> None:
        if isinstance(item, StreamStart | StreamEnd):
            return
        if isinstance(item, bytes):
            self._write_bytes(self._secrets.mask_bytes(item))
            return
        document = self._secrets.mask(item)
        if self._pretty:
            self._write_pretty(document)
        else:
            self._write_bytes(_encoded(document) + b"\n")

    def _write_pretty(self, document: Any) -> None:
        self._out.write(_pretty(document) + "\n")

    def _write_bytes(self, data: bytes) -> None:
        buffer = getattr(self._out, "buffer", None)
        if self._pretty or buffer is None:
            self._write_text(data.decode(errors="replace"))
        else:
            buffer.write(data)

    def _write_text(self, text: str) -> None:
        self._out.write(text)
        self._line_is_open = self._pretty and not text.endswith("\n")

    def _end_line(self) -> None:
        """On a terminal, what was printed last must not run into what follows."""
        if self._line_is_open:
            self._write_text("\n")


class LiveDisplay(PlainDisplay):
    """A table that is redrawn while the snaps work; lines and documents scroll by above it."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        super().__init__(out, err)
        from rich.console import Console
        from rich.live import Live

        self._partial = ""
        self._rates = _Rates()
        self._start = perf_counter()
        self._console = Console(file=err)
        self._live = Live(
            console=self._console,
            get_renderable=self._table,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def started(self, report: Report, secrets: Secrets) -> None:
        super().started(report, secrets)
        self._start = perf_counter()
        self._live.start()

    def finished(self, report: Report) -> None:
        self.report = report
        self.exit_code = 0 if report.status == "completed" else 1
        self._end_line()
        self._live.stop()
        with suppress(OSError):
            self._out.flush()
        self._console.print(self._table(final=True))
        color = {"completed": "green", "failed": "red"}.get(report.status, "yellow")
        self._console.print(
            f"[bold]{_escaped(report.pipeline)}[/]: [{color}]{report.status}[/] "
            f"in {report.seconds:.1f} s",
            highlight=False,
        )
        if report.failure:
            self._console.print(report.failure, style="red", markup=False, highlight=False)

    def show(self, label: str, text: str) -> None:
        self._console.print(f"[cyan]{_escaped(label)}[/] {_escaped(text)}", highlight=False)

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False)

    def _write_text(self, text: str) -> None:
        """Above the table, which is redrawn: so only whole lines can be written."""
        whole, newline, self._partial = (self._partial + text).rpartition("\n")
        if newline:
            self._line(whole)
        self._line_is_open = bool(self._partial)

    def _write_pretty(self, document: Any) -> None:
        self._console.print_json(_pretty(document), highlight=True)

    def _table(self, *, final: bool = False) -> Table:
        return _rich_table(self.report, self._rates, perf_counter() - self._start, final=final)


class _Rates:
    """Documents per second of each snap over the last second or so."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[float, int, float]] = {}

    def rate(self, snap: SnapStatistics, now: float) -> float:
        count = max(snap.documents_in, snap.documents_out)
        then, before, rate = self._last.get(snap.label, (now, count, 0.0))
        if now - then >= 0.5 or snap.label not in self._last:
            rate = (count - before) / (now - then) if now > then else 0.0
            self._last[snap.label] = (now, count, rate)
        return rate


_COLUMNS = ("in", "out", "dropped", "errors", "seconds")


def _rich_table(report: Report | None, rates: _Rates, elapsed: float, *, final: bool) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("snap")
    for name in _COLUMNS:
        table.add_column(name, justify="right")
    table.add_column("docs/s", justify="right")
    for snap in report.snaps if report else ():
        rate = rates.rate(snap, elapsed) if not final else _mean_rate(snap, elapsed)
        table.add_row(
            _MARKS[snap.status], _escaped(snap.label), *_cells(snap), f"{rate:,.0f}" if rate else ""
        )
    return table


_MARKS = {
    "running": "[yellow]●[/]",
    "completed": "[green]✓[/]",
    "failed": "[red]✗[/]",
    "stopped": "[yellow]■[/]",
}


def _mean_rate(snap: SnapStatistics, elapsed: float) -> float:
    return max(snap.documents_in, snap.documents_out) / elapsed if elapsed > 0 else 0.0


def _cells(snap: SnapStatistics) -> list[str]:
    counts = (snap.documents_in, snap.documents_out, snap.dropped, snap.errors)
    return [f"{count:,}" for count in counts] + [f"{snap.seconds:.2f}"]


def _plain_table(report: Report) -> str:
    rows = [("snap", *_COLUMNS), *((snap.label, *_cells(snap)) for snap in report.snaps)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def _encoded(document: Any) -> bytes:
    """The document as JSON; what JSON cannot hold is shown as Python writes it."""
    try:
        return msgspec.json.encode(document, enc_hook=json_hook)
    except (ValueError, TypeError, NotImplementedError, RecursionError, EngineError):
        return msgspec.json.encode(ascii(document))


def _pretty(document: Any) -> str:
    try:
        encoded = _encoded(_shortened(document))
        return msgspec.json.format(encoded, indent=2).decode()
    except RecursionError:
        return '"(nested too deeply to be shown)"'


def _shortened(value: Any) -> Any:
    """The value with long texts cut, for a person's eyes."""
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]}… ({len(value):,} characters)"
    if isinstance(value, bytes):
        return f"{value[:40]!r}… ({len(value):,} bytes)" if len(value) > 40 else repr(value)
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shortened(item) for item in value]
    return value


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
