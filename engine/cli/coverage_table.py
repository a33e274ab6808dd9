"""The coverage of pipelines as a table, with what no case has run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import floor

from engine.cli.columns import columns
from engine.testing.cases.coverage import KINDS, Hits, Point, percent

_PLURALS = ("snaps", "links", "views", "routes", "branches", "rows")


def coverage_table(coverage: Mapping[str, Hits]) -> str:
    """A line for each pipeline, and below the table one for each point that was not hit."""
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
    table = columns(rows, right=range(1, len(KINDS) + 2))
    return "\n".join([table, *(["not run:"] if missed else []), *missed])


def _cells(hits: Iterable[tuple[Point, int]]) -> Iterator[str]:
    pairs = list(hits)
    for kind in KINDS:
        counts = [count for point, count in pairs if point.kind == kind]
        yield f"{sum(map(bool, counts))}/{len(counts)}" if counts else "-"
    yield f"{floor(percent([count for _, count in pairs]))}"
