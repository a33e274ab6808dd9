"""The counts of each snap as a table, for a log or a terminal of any width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.cli.columns import columns
from engine.run.report import Report, SnapStatistics

if TYPE_CHECKING:
    from rich.table import Table

_COUNTS = ("in", "out", "dropped", "errors", "seconds")
_RATE = "docs/s"
_DROP_ORDER = (_RATE, "seconds", "dropped", "out", "in", "errors")
"""Columns in the order in which they are dropped to make room for labels."""

_GAP = 2
_MARK_WIDTH = 1
_MARKS = {
    "running": "[yellow]●[/]",
    "completed": "[green]✓[/]",
    "failed": "[red]✗[/]",
    "stopped": "[yellow]■[/]",
}


class Rates:
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


def plain_table(report: Report) -> str:
    """All columns, as wide as they need to be."""
    rows = [("snap", *_COUNTS), *((snap.label, *_counts(snap).values()) for snap in report.snaps)]
    return columns(rows, right=range(1, len(_COUNTS) + 1))


def rich_table(
    report: Report | None, rates: Rates, elapsed: float, width: int, *, final: bool
) -> Table:
    """The table for a terminal of `width` columns; numbers go before labels are cut."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    snaps = report.snaps if report else []
    cells = [_counts(snap) for snap in snaps]
    for snap, row in zip(snaps, cells, strict=True):
        rate = _mean_rate(snap, elapsed) if final else rates.rate(snap, elapsed)
        row[_RATE] = f"{rate:,.0f}" if rate else ""
    shown = _columns_that_fit([snap.label for snap in snaps], cells, width)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", width=_MARK_WIDTH)
    table.add_column("snap", no_wrap=True, overflow="ellipsis")
    for name in shown:
        table.add_column(name, justify="right", no_wrap=True)
    for snap, row in zip(snaps, cells, strict=True):
        figures = (row[name] for name in shown)
        table.add_row(_MARKS[snap.status], escaped(snap.label), *figures)
    return table


def escaped(text: str) -> str:
    """The text, escaped so that rich finds no markup in it."""
    from rich.markup import escape

    return escape(text)


def _columns_that_fit(labels: list[str], cells: list[dict[str, str]], width: int) -> list[str]:
    from rich.cells import cell_len

    shown = [*_COUNTS, _RATE]
    label = max((cell_len(label) for label in ("snap", *labels)), default=0)
    for name in _DROP_ORDER[:-1]:
        figures = (max(len(name), *(len(row[name]) for row in cells), 0) for name in shown)
        if _MARK_WIDTH + _GAP + label + sum(_GAP + each for each in figures) <= width:
            break
        shown.remove(name)
    return shown


def _counts(snap: SnapStatistics) -> dict[str, str]:
    counts = (snap.documents_in, snap.documents_out, snap.dropped, snap.errors)
    return dict(zip(_COUNTS, [*map("{:,}".format, counts), f"{snap.seconds:.2f}"], strict=True))


def _mean_rate(snap: SnapStatistics, elapsed: float) -> float:
    return max(snap.documents_in, snap.documents_out) / elapsed if elapsed > 0 else 0.0
