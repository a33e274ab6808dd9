"""What the cases of a pipeline have run: its snaps, links, views, routes, branches and rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from engine.documents import copied
from engine.errors import ConfigurationError, ExpressionSyntaxError
from engine.expressions import Scope
from engine.expressions.branches import Branches
from engine.pipeline import PipelineSpec
from engine.plan import compile_spec
from engine.plan.plan import PlacedExpression, Plan, PlannedSnap, Port
from engine.registry import Registry
from engine.run.report import SnapStatistics
from engine.sdk.views import ERROR_VIEW
from engine.testing.cases.recording import Recorder

Kind = Literal["snap", "link", "view", "route", "branch", "row"]
KINDS: tuple[Kind, ...] = ("snap", "link", "view", "route", "branch", "row")
_DOCUMENTS = 1000
"""How many documents of a snap are looked at for the branches that they take."""


class Point(msgspec.Struct, frozen=True):
    """Something that a case can run, at a line of the pipeline file."""

    kind: Kind
    name: str
    line: int


Hits = Mapping[Point, int]


def points_of(spec: PipelineSpec, registry: Registry) -> Hits:
    """All points of a pipeline, without any hit; none if it has mistakes."""
    try:
        plan = compile_spec(spec, registry)
    except ConfigurationError:
        return {}
    of_snaps = (point for snap in plan.snaps for point in _of_snap(snap))
    return dict.fromkeys((*of_snaps, *_links(plan, spec).values()), 0)


def hits_of(plan: Plan, spec: PipelineSpec, recorder: Recorder, scope: Scope) -> Hits:
    """How often a run came to each point.

    `plan` is the one that ran. A snap that was mocked did not run, but its links and views did.
    """
    hits: Counter[Point] = Counter()
    for report in recorder.reports:
        counts = {snap.label: snap for snap in report.snaps}
        for snap in plan.snaps:
            _add_counts(hits, snap, counts[snap.label], is_mock=_is_mock(snap, spec))
        for source, point in _links(plan, spec).items():
            hits[point] += counts[source.label].outputs.get(source.view, 0)
    for snap in plan.snaps:
        if not _is_mock(snap, spec):
            _add_branches(hits, snap, recorder, scope)
    return hits


def _add_counts(
    hits: Counter[Point], snap: PlannedSnap, counts: SnapStatistics, *, is_mock: bool
) -> None:
    for view, count in counts.outputs.items():
        if count:
            hits[_view(snap, view)] += count
    if is_mock:
        return
    hits[_point("snap", snap.label, snap)] += counts.documents_in or counts.documents_out
    if counts.documents_out:
        for row in _rows(snap):
            hits[row] += counts.documents_out


def _of_snap(snap: PlannedSnap) -> Iterator[Point]:
    yield _point("snap", snap.label, snap)
    for view in snap.outputs:
        yield _view(snap, view.name)
    if snap.on_error == "route":
        yield _view(snap, ERROR_VIEW.name)
    yield from _rows(snap)
    for placed in snap.expressions:
        for offset, holds in _branches(placed, Scope()).all:
            yield _branch(snap, placed, offset, holds)


def _links(plan: Plan, spec: PipelineSpec) -> dict[Port, Point]:
    """The point of each link, by the port at which it starts."""
    lines: dict[tuple[str, str], list[int]] = {}
    for written in spec.links:
        ends = written.source.label, written.target.label
        lines.setdefault(ends, []).append(written.source.where.line)
    return {
        link.source: Point(
            "link",
            f"{link.source} -> {link.target}",
            next(iter(lines.get((link.source.label, link.target.label), [0]))),
        )
        for link in plan.links
    }


def _view(snap: PlannedSnap, view: str) -> Point:
    """A view of several is a route: documents go to one of them."""
    is_route = len(snap.outputs) > 1 and view != ERROR_VIEW.name
    return _point("route" if is_route else "view", f"{snap.label}.{view}", snap)


def _rows(snap: PlannedSnap) -> Iterator[Point]:
    for placed in snap.expressions:
        if placed.target:
            yield Point("row", f"{snap.label} {placed.target}", placed.where.line)


def _add_branches(
    hits: Counter[Point], snap: PlannedSnap, recorder: Recorder, scope: Scope
) -> None:
    documents = recorder.arrivals.get(snap.label, [])[:_DOCUMENTS]
    for placed in snap.expressions:
        branches = _branches(placed, scope)
        for document in documents if branches.all else ():
            for offset, holds in branches.taken(copied(document)):
                hits[_branch(snap, placed, offset, holds)] += 1


def _branches(placed: PlacedExpression, scope: Scope) -> Branches:
    try:
        return Branches(placed.text, scope)
    except ExpressionSyntaxError:  # a path, not an expression
        return Branches("null", scope)


def _branch(snap: PlannedSnap, placed: PlacedExpression, offset: int, holds: bool) -> Point:
    name = f"{snap.label} {placed.target or placed.text[:40]}"
    condition = f"when the condition at column {offset + 1} is {str(holds).lower()}"
    return Point("branch", f"{name}, {condition}", placed.where.line)


def _point(kind: Kind, name: str, snap: PlannedSnap) -> Point:
    return Point(kind, name, snap.where.line)


def _is_mock(snap: PlannedSnap, spec: PipelineSpec) -> bool:
    return spec.snaps[snap.label].type != snap.type


def merged(hits: Sequence[Hits]) -> Hits:
    """The sum of all hits, in the order of the lines."""
    total: dict[Point, int] = {}
    for each in hits:
        for point, count in each.items():
            total[point] = total.get(point, 0) + count
    return {
        point: total[point]
        for point in sorted(total, key=lambda point: (point.line, KINDS.index(point.kind)))
    }


def percent(counts: Collection[int]) -> float:
    """How many of 100 points were hit; 100 if there are none."""
    return 100 * sum(map(bool, counts)) / len(counts) if counts else 100.0


def lcov(of_pipelines: Mapping[str, Hits]) -> str:
    """The coverage in the format of lcov: of a line the point with the fewest hits counts."""
    records: list[str] = []
    for path, hits in of_pipelines.items():
        lines: dict[int, int] = {}
        forks: list[str] = []
        for number, (point, count) in enumerate(hits.items()):
            lines[point.line] = min(count, lines.get(point.line, count))
            if point.kind in ("route", "branch"):
                forks.append(f"BRDA:{point.line},0,{number},{count}")
        taken = sum(not fork.endswith(",0") for fork in forks)
        records += ["TN:", f"SF:{path}", *forks, f"BRF:{len(forks)}", f"BRH:{taken}"]
        records += [f"DA:{line},{count}" for line, count in sorted(lines.items())]
        covered = sum(map(bool, lines.values()))
        records += [f"LF:{len(lines)}", f"LH:{covered}", "end_of_record"]
    return "".join(f"{record}\n" for record in records)
