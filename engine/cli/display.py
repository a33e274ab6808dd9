"""Shows a run: a live view on a terminal, plain lines elsewhere.

Documents that leave the pipeline go to standard output, everything about the run to standard error,
so a pipe receives documents only.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Protocol, TextIO

from engine.cli.exit_codes import BROKEN_PIPE
from engine.cli.outputs import OutputWriter, PipedOutputs, TerminalOutputs
from engine.cli.progress import ProgressLines
from engine.cli.tables import Rates, escaped, plain_table, rich_table
from engine.cli.wrapping import HINT, fitted, width_of
from engine.documents import Batch
from engine.errors import ExecutionError
from engine.plan.plan import Port
from engine.run.report import Report
from engine.run.secrets import Secrets
from engine.visible import visible

if TYPE_CHECKING:
    from rich.table import Table


def _is_pipe(out: TextIO) -> bool:
    """Whether another program reads along, unlike with a file."""
    try:
        mode = os.fstat(out.fileno()).st_mode
    except OSError:  # closed, or in memory
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _lost(error: OSError) -> str:
    return f"documents were lost: cannot write to standard output: {error.strerror or error}"


class Display(Protocol):
    """An observer of a run that keeps its report and exit code."""

    @property
    def report(self) -> Report | None: ...
    @property
    def exit_code(self) -> int: ...

    def started(self, report: Report, secrets: Secrets) -> None: ...
    def show(self, label: str, text: str, request_id: str = "") -> None: ...
    def output(self, port: Port, batch: Batch) -> None: ...
    def finished(self, report: Report) -> None: ...
    def line(self, text: str) -> None:
        """Write to standard error, above what is redrawn there. From any thread."""
        ...


def choose_display(
    out: TextIO,
    err: TextIO,
    open_outputs: Sequence[Port],
    *,
    quiet: bool = False,
    live: bool = True,
) -> Display:
    """The live view on a terminal, unless it would be in the way; otherwise plain lines."""
    if quiet:
        return QuietDisplay(out, err, open_outputs)
    if live and err.isatty():
        return LiveDisplay(out, err, open_outputs)
    return PlainDisplay(out, err, open_outputs)


class QuietDisplay:
    """Shows documents, and the reason if the run fails."""

    def __init__(self, out: TextIO, err: TextIO, open_outputs: Sequence[Port]) -> None:
        self.report: Report | None = None
        self.exit_code = 1
        self._out = out
        self._err = err
        self._named = len(open_outputs) > 1
        self._outputs: OutputWriter | None = None
        self._is_terminal = out.isatty()
        self._is_watched = self._is_terminal or _is_pipe(out)
        self._writing = threading.Lock()

    def started(self, report: Report, secrets: Secrets) -> None:
        self.report = report
        self._outputs = self._writer(secrets)

    def show(self, label: str, text: str, request_id: str = "") -> None:
        """Lines that snaps print are not shown."""

    def output(self, port: Port, batch: Batch) -> None:
        assert self._outputs is not None  # nothing leaves before the run has started
        try:
            self._outputs.write(port, batch.items)
            if self._is_watched:  # the input may pause for long: what is there must not wait for it
                self._out.flush()
        except BrokenPipeError:
            self.exit_code = BROKEN_PIPE
            raise
        except OSError as error:
            raise ExecutionError(_lost(error)) from None

    def finished(self, report: Report) -> None:
        self.report = report
        lost = ""
        try:
            if self._outputs is not None:
                self._outputs.end()
            self._out.flush()
        except BrokenPipeError:
            self.exit_code = BROKEN_PIPE
        except OSError as error:
            lost = _lost(error)
        self._close()
        if self.exit_code != BROKEN_PIPE:
            self.exit_code = 0 if report.status == "completed" and not lost else 1
            self._conclude(report)
            if lost and lost != report.failure:
                self.line(lost)

    def _writer(self, secrets: Secrets) -> OutputWriter:
        if self._is_terminal:
            return TerminalOutputs(self._print, self._print, secrets, named=self._named)
        return PipedOutputs(self._out, secrets, named=self._named)

    def _print(self, text: str) -> None:
        self._out.write(f"{text}\n")

    def _close(self) -> None:
        """Stop background output, such as progress lines."""

    def _conclude(self, report: Report) -> None:
        if report.failure:
            self.line(fitted(visible(report.failure), width_of(self._err)))

    def line(self, text: str) -> None:
        with (
            self._writing,
            suppress(BrokenPipeError),
        ):  # the run continues when the reader of the log has gone
            self._err.write(f"{visible(text)}\n")
            self._err.flush()


class PlainDisplay(QuietDisplay):
    """One line per event; for logs, pipes and CI."""

    def __init__(
        self,
        out: TextIO,
        err: TextIO,
        open_outputs: Sequence[Port],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        super().__init__(out, err, open_outputs)
        self.progress = ProgressLines(self.line, clock)

    def started(self, report: Report, secrets: Secrets) -> None:
        super().started(report, secrets)
        self.progress.start(report)

    def show(self, label: str, text: str, request_id: str = "") -> None:
        self.line(f"{label} | {text}")

    def _close(self) -> None:
        self.progress.stop()

    def _conclude(self, report: Report) -> None:
        if report.snaps:
            self.line(plain_table(report))
        self.line(f"{report.pipeline}: {report.status} in {report.seconds:.1f} s")
        super()._conclude(report)


class LiveDisplay(QuietDisplay):
    """A table, redrawn while the snaps work; lines and documents scroll past above it."""

    def __init__(self, out: TextIO, err: TextIO, open_outputs: Sequence[Port]) -> None:
        super().__init__(out, err, open_outputs)
        from rich.console import Console
        from rich.live import Live

        self._rates = Rates()
        self._start = perf_counter()
        self._console = Console(file=err)
        self._live = Live(
            console=self._console,
            get_renderable=lambda: self._table(final=False),
            refresh_per_second=8,
            transient=True,
        )

    def started(self, report: Report, secrets: Secrets) -> None:
        super().started(report, secrets)
        self._start = perf_counter()
        self._live.start()

    def show(self, label: str, text: str, request_id: str = "") -> None:
        self._console.print(f"[cyan]{escaped(label)}[/] {escaped(visible(text))}", highlight=False)

    def _writer(self, secrets: Secrets) -> OutputWriter:
        if self._is_terminal:
            return TerminalOutputs(self.line, self._json, secrets, named=self._named)
        return PipedOutputs(self._out, secrets, named=self._named)

    def _close(self) -> None:
        self._live.stop()

    def _conclude(self, report: Report) -> None:
        self._console.print(self._table(final=True))
        color = {"completed": "green", "failed": "red"}.get(report.status, "yellow")
        self._console.print(
            f"[bold]{escaped(visible(report.pipeline))}[/]: [{color}]{report.status}[/] "
            f"in {report.seconds:.1f} s",
            highlight=False,
        )
        if report.failure:
            failure = fitted(visible(report.failure), self._console.width)
            said, mark, hint = failure.partition(f"\n{HINT}")
            self._styled(said, "red")
            if mark:
                self._styled(f"{HINT}{hint}", "cyan")

    def _styled(self, text: str, style: str) -> None:
        self._console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    def line(self, text: str) -> None:
        self._console.print(visible(text), markup=False, highlight=False)

    def _json(self, text: str) -> None:
        """JSON in colour; `print_json` of rich would read it, and numbers would lose digits."""
        from rich.highlighter import JSONHighlighter
        from rich.text import Text

        self._console.print(JSONHighlighter()(Text(text)), soft_wrap=True)

    def _table(self, *, final: bool) -> Table:
        elapsed = perf_counter() - self._start
        return rich_table(self.report, self._rates, elapsed, self._console.width, final=final)
