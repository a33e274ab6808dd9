"""The coverage of pipelines as a table, with what no case has run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import floor

from engine.cli.columns import columns
from engine.cli.wrapping import wrapped
from engine.testing.cases.coverage import KINDS, Hits, Point, percent

_PLURALS = ("snaps", "links", "views", "routes", "branches", "rows")


def coverage_table(coverage: Mapping[str, Hits], width: int) -> str:
    """A line for each pipeline, and below the table one for each point that was not hit. Columns
    that a terminal of this width has no room for are left out; 0 is anything else."""
    rows = [["coverage", *_PLURALS, "%"]]
    rows += [[path, *_cells(hits.items())] for path, hits in coverage.items()]
    if len(coverage) > 1:
        pairs = (pair for hits in coverage.values() for pair in hits.items())
        rows.append(["total", *_cells(pairs)])
    missed = [
        f"  {path}:{point.line}  {point.kind} {point.name}"
        for path, hits in coverage.items()
        for point, count in hits.items()
        if not count
    ]
    while width and len(rows[0]) > 2 and _width(rows) > width:
        rows = [[*row[:-2], row[-1]] for row in rows]
    table = columns(rows, right=range(1, len(rows[0])))
    missed = [wrapped(line, width, 4) for line in missed]
    return "\n".join(["", table, *(["", "not run:"] if missed else []), *missed])


def _width(rows: Sequence[Sequence[str]]) -> int:
    return max(map(len, columns(rows).split("\n")))


def _cells(hits: Iterable[tuple[Point, int]]) -> Iterator[str]:
    pairs = list(hits)
    for kind in KINDS:
        counts = [count for point, count in pairs if point.kind == kind]
        yield f"{sum(map(bool, counts))}/{len(counts)}" if counts else "-"
    yield f"{floor(percent([count for _, count in pairs]))}" if pairs else "-"
