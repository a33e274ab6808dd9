"""A diagram with everything placed: what all formats have in common, in pixels or in cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from engine.diagram.diagram import Diagram, DrawnLink, DrawnPort, DrawnSnap
from engine.diagram.layout import Box, Place, Spacing, Wire, layout
from engine.diagram.texts import Measure, cells, pixels, shortened

_UNNAMED = ("input", "output")
"""Names of views that are not shown if they are the only ones."""


class Metrics(NamedTuple):
    """Sizes of a drawing. A box has a label, a kind, maybe a note, then the ports with names.

    `first` is the middle of the label's row, at which ports without names are; `head` is the
    height of label and kind, `row` that of anything below, `foot` what follows the last row.
    Widths are at least `narrowest`, and texts at most `longest`. `stub` is the length of the wire
    at an open port, `beside_label` the space beside the label of a wire.
    """

    label: Measure
    text: Measure
    narrowest: int
    longest: int
    padding: int
    first: int
    head: int
    row: int
    middle: int
    foot: int
    spacing: Spacing
    stub: int
    beside_label: int


PIXELS = Metrics(
    label=pixels(13, bold=True),
    text=pixels(11),
    narrowest=124,
    longest=220,
    padding=12,
    first=19,
    head=44,
    row=18,
    middle=9,
    foot=8,
    spacing=Spacing(boxes=24, wires=14, tracks=9, start=18, end=22),
    stub=16,
    beside_label=6,
)
CELLS = Metrics(
    label=cells,
    text=cells,
    narrowest=0,
    longest=30,
    padding=2,
    first=1,
    head=3,
    row=1,
    middle=0,
    foot=1,
    spacing=Spacing(boxes=1, wires=1, tracks=2, start=2, end=3),
    stub=2,
    beside_label=3,
)


class PlacedPort(NamedTuple):
    """A port at its distance from the top of the box; `name` is empty if it is not shown."""

    port: DrawnPort
    name: str
    y: int


class PlacedSnap(NamedTuple):
    """A snap in its place, with its texts shortened to fit."""

    snap: DrawnSnap
    label: str
    kind: str
    note: str
    place: Place
    box: Box
    inputs: Sequence[PlacedPort]
    outputs: Sequence[PlacedPort]


class PlacedLink(NamedTuple):
    """A link from corner to corner, with the text at its start."""

    output: DrawnPort
    label: str
    ends: tuple[str, str]
    corners: list[tuple[int, int]]
    documents: int | None


class Drawing(NamedTuple):
    """Everything at its place; the drawing begins at (0, 0), stubs of open ports may be outside."""

    diagram: Diagram
    snaps: list[PlacedSnap]
    links: list[PlacedLink]
    width: int
    height: int


def drawing_of(diagram: Diagram, metrics: Metrics) -> Drawing:
    """The drawing of a diagram."""
    sides = [_sides(snap, metrics) for snap in diagram.snaps]
    boxes = [_box(snap, *side, metrics) for snap, side in zip(diagram.snaps, sides, strict=True)]
    labels = [_link_label(diagram.ports(link)[0], link.count, metrics) for link in diagram.links]
    wires = [
        Wire(*_wire_ends(link), _room(label, metrics), _weight(diagram.ports(link)[0]))
        for link, label in zip(diagram.links, labels, strict=True)
    ]
    found = layout(boxes, wires, metrics.spacing)
    snaps = [
        PlacedSnap(
            snap,
            shortened(snap.label, metrics.label, metrics.longest),
            shortened(kind_of(snap), metrics.text, metrics.longest),
            snap.note,
            place,
            box,
            *side,
        )
        for snap, side, place, box in zip(diagram.snaps, sides, found.boxes, boxes, strict=True)
    ]
    links = [
        PlacedLink(diagram.ports(link)[0], label, diagram.ends(link), corners, link.count)
        for link, label, corners in zip(diagram.links, labels, found.wires, strict=True)
    ]
    return Drawing(diagram, snaps, links, found.width, found.height)


def kind_of(snap: DrawnSnap) -> str:
    """The type of a snap and its state, as text."""
    if snap.state == "missing":
        return "no such snap"
    notes = {"disabled": " (disabled)", "unknown": " (unknown)"}
    return f"{snap.type or 'no type'}{notes.get(snap.state, '')}"


def _sides(snap: DrawnSnap, metrics: Metrics) -> tuple[list[PlacedPort], list[PlacedPort]]:
    """The ports of both sides. A single one with a usual name has none in the drawing: it is
    beside the label or, if there are rows of ports, beside the first of them."""
    top = metrics.head + (metrics.row if snap.note else 0) + metrics.middle
    both = (snap.inputs, snap.outputs)
    has_rows = any(not _is_single(side) for side in both)
    sides = []
    for side in both:
        placed: list[PlacedPort] = []
        for port in side:
            y = top + (len(placed) - (_is_single(side) and not has_rows)) * metrics.row
            if _is_single(side) and port.carries != "error":
                placed.append(PlacedPort(port, "", top if has_rows else metrics.first))
            else:
                name = shortened(port.name, metrics.text, metrics.longest // 2)
                placed.append(PlacedPort(port, name, y))
        sides.append(placed)
    return sides[0], sides[1]


def _is_single(side: Sequence[DrawnPort]) -> bool:
    names = [port.name for port in side if port.carries != "error"]
    return not names or (len(names) == 1 and names[0] in _UNNAMED)


def _box(
    snap: DrawnSnap, inputs: list[PlacedPort], outputs: list[PlacedPort], metrics: Metrics
) -> Box:
    named = [[port.name for port in side if port.name] for side in (inputs, outputs)]
    sides = [max(map(metrics.text, side), default=0) for side in named]
    gap = metrics.padding if all(sides) else 0
    width = max(
        metrics.label(shortened(snap.label, metrics.label, metrics.longest)),
        metrics.text(shortened(kind_of(snap), metrics.text, metrics.longest)),
        metrics.text(snap.note),
        sum(sides) + gap,
        metrics.narrowest - 2 * metrics.padding,
    )
    top = metrics.head + (metrics.row if snap.note else 0)
    rows = [port.y - metrics.middle + metrics.row for port in (*inputs, *outputs)]
    height = max([top, *rows]) + metrics.foot
    ports = [[port.y for port in side] for side in (inputs, outputs)]
    return Box(width + 2 * metrics.padding, height, *ports)


def _wire_ends(link: DrawnLink) -> tuple[int, int, int, int]:
    return link.source, link.output, link.target, link.input


def _weight(output: DrawnPort) -> float:
    """Errors bend rather than the documents that go on."""
    return 0.3 if output.carries == "error" else 1.0


def _link_label(port: DrawnPort, count: int | None, metrics: Metrics) -> str:
    condition = shortened(port.condition, metrics.text, metrics.longest)
    parts = [condition, "" if count is None else f"{count:,}"]
    return " · ".join(part for part in parts if part)


def _room(label: str, metrics: Metrics) -> int:
    return metrics.text(label) + metrics.beside_label if label else 0
