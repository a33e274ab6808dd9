"""Where the snaps of an exported pipeline are drawn: a chain in a row, from left to right."""

from __future__ import annotations

import msgspec

from engine.pipeline.spec import PipelineSpec
from engine.plan.graph import order


class Place(msgspec.Struct, frozen=True):
    column: int
    row: int


def places_of(spec: PipelineSpec) -> dict[str, Place]:
    """A place for each snap: right of the snaps that feed it, each chain in a row of its own."""
    rows: dict[str, int] = {}
    last, row = "", -1
    for link in spec.links:
        source, target = link.source.label, link.target.label
        if source not in rows:
            row += 1
            rows[source] = row
        elif source != last and target not in rows:
            row += 1
        if target not in rows:
            rows[target] = row if source == last or rows[source] != row else rows[source]
        last = target
    for label in spec.snaps:
        if label not in rows:
            row += 1
            rows[label] = row
    columns = _columns(spec)
    return {label: Place(columns[label], rows[label]) for label in spec.snaps}


def _columns(spec: PipelineSpec) -> dict[str, int]:
    """The length of the longest way to each snap; snaps on a cycle are in the first column."""
    columns = dict.fromkeys(spec.snaps, 0)
    edges = [(link.source.label, link.target.label) for link in spec.links]
    followers: dict[str, list[str]] = {}
    for source, target in edges:
        followers.setdefault(source, []).append(target)
    for source in order(list(spec.snaps), edges):
        for target in followers.get(source, ()):
            columns[target] = max(columns[target], columns[source] + 1)
    return columns
