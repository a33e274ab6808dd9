"""Where the snaps of an exported pipeline are drawn: a chain in a row, from left to right."""

from __future__ import annotations

import msgspec

from engine.pipeline.spec import PipelineSpec


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
    """The length of the longest way to each snap; links of a cycle count once."""
    columns = dict.fromkeys(spec.snaps, 0)
    edges = [(link.source.label, link.target.label) for link in spec.links]
    for _ in spec.snaps:
        changed = False
        for source, target in edges:
            if columns[target] <= columns[source] < len(columns):
                columns[target] = columns[source] + 1
                changed = True
        if not changed:
            break
    return columns
