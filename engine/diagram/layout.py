"""Places boxes in columns and routes wires between them, from left to right.

The layered method of Sugiyama, with wires of horizontal and vertical lines: columns are assigned
(columns), boxes are ordered within them so that few wires cross (ordering) and moved up or down
until most wires are straight (placing); what remains bends in the space between the columns
(routing). All numbers may be integers, and then all results are: a terminal counts in cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from engine.diagram.columns import Graph, components, in_columns
from engine.diagram.ordering import ordered
from engine.diagram.placing import placed
from engine.diagram.routing import Routed, routed


class Box(NamedTuple):
    """A box to be placed; ports are distances from its top."""

    width: int
    height: int
    inputs: Sequence[int] = ()
    outputs: Sequence[int] = ()


class Wire(NamedTuple):
    """A wire from an output to an input of two boxes, by their positions in the lists.

    `label` is the room that its label needs to the right of the source; a wire of less `weight`
    bends rather than another one.
    """

    source: int
    output: int
    target: int
    input: int
    label: int = 0
    weight: float = 1.0


class Spacing(NamedTuple):
    """Distances: between boxes, between a wire and a box or a wire, between vertical lines, and
    the straight piece of a wire at its start and its end."""

    boxes: int
    wires: int
    tracks: int
    start: int
    end: int


class Place(NamedTuple):
    """The top left corner of a box."""

    x: int
    y: int


class Layout(NamedTuple):
    """Places and wires in the order of the boxes and wires given; a wire is a list of corners."""

    boxes: list[Place]
    wires: list[list[tuple[int, int]]]
    width: int
    height: int


def layout(boxes: Sequence[Box], wires: Sequence[Wire], spacing: Spacing) -> Layout:
    """The layout; parts that no wire joins are below each other. Wires may form cycles."""
    places: list[Place] = [Place(0, 0)] * len(boxes)
    lines: list[list[tuple[int, int]]] = [[] for _ in wires]
    width, top = 0, 0
    for members, joined in components(len(boxes), [(each.source, each.target) for each in wires]):
        part = _part([boxes[each] for each in members], members, joined, wires, spacing)
        for member, place in zip(members, part.places, strict=True):
            places[member] = Place(place[0], place[1] + top)
        for position, line in zip(joined, part.lines, strict=True):
            lines[position] = [(x, y + top) for x, y in line]
        width, top = max(width, part.width), top + part.height + spacing.boxes
    return Layout(places, lines, width, max(top - spacing.boxes, 0))


def _part(
    boxes: Sequence[Box],
    members: Sequence[int],
    joined: Sequence[int],
    wires: Sequence[Wire],
    spacing: Spacing,
) -> Routed:
    """The layout of boxes that wires join, with its top left corner at zero."""
    number = {member: position for position, member in enumerate(members)}
    own = [
        wires[each]._replace(source=number[wires[each].source], target=number[wires[each].target])
        for each in joined
    ]
    graph: Graph = in_columns(boxes, own)
    columns = ordered(graph)
    return routed(graph, columns, placed(graph, columns, spacing), spacing)
