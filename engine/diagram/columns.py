"""Which column each box is in, and the graph of pieces of wires between neighbouring columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from engine.diagram.layout import Box, Wire

MOST_POINTS = 20_000
"""Points at which long wires pass columns. Beyond that, long wires go around all boxes."""


class Piece(NamedTuple):
    """A piece of a wire from one column to the next; ports are distances from the tops."""

    source: int
    output: int
    target: int
    input: int
    weight: float


class Graph(NamedTuple):
    """Nodes in columns: the boxes, then the points at which long wires pass a column.

    `heights` of points are 0. `after` and `before` are the pieces by source and by target, in the
    order of the ports. `paths` are the nodes along each wire; None: it goes around the boxes, since
    it leads backwards or is too long.
    """

    boxes: Sequence[Box]
    wires: Sequence[Wire]
    column: list[int]
    heights: list[int]
    after: list[list[Piece]]
    before: list[list[Piece]]
    paths: list[list[int] | None]

    @property
    def width(self) -> int:
        return max(self.column, default=-1) + 1


def components(
    count: int, ends: Sequence[tuple[int, int]]
) -> Iterator[tuple[list[int], list[int]]]:
    """Boxes that wires join, with the positions of these wires; in the order of the first boxes."""
    parent = list(range(count))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for source, target in ends:
        first, second = sorted((root(source), root(target)))
        parent[second] = first
    members: dict[int, list[int]] = {}
    joined: dict[int, list[int]] = {}
    for node in range(count):
        members.setdefault(root(node), []).append(node)
    for position, (source, _) in enumerate(ends):
        joined.setdefault(root(source), []).append(position)
    for first, found in members.items():
        yield found, joined.get(first, [])


def in_columns(boxes: Sequence[Box], wires: Sequence[Wire]) -> Graph:
    """The graph of boxes that wires join."""
    column, forward = _columns(len(boxes), wires)
    graph = Graph(
        boxes,
        wires,
        column,
        [box.height for box in boxes],
        [[] for _ in boxes],
        [[] for _ in boxes],
        [None] * len(wires),
    )
    left = MOST_POINTS
    for position in sorted(forward, key=lambda each: _span(column, wires[each])):
        points = _span(column, wires[position]) - 1
        if points <= left:
            left -= points
            graph.paths[position] = _add_path(graph, wires[position])
    for pieces in graph.after:
        pieces.sort(key=lambda piece: piece.output)
    for pieces in graph.before:
        pieces.sort(key=lambda piece: piece.input)
    return graph


def _span(column: Sequence[int], wire: Wire) -> int:
    return column[wire.target] - column[wire.source]


def _add_path(graph: Graph, wire: Wire) -> list[int]:
    """Add the points and pieces of a wire; the nodes along it."""
    output = graph.boxes[wire.source].outputs[wire.output]
    path = [wire.source]
    for column in range(graph.column[wire.source] + 1, graph.column[wire.target]):
        point = len(graph.column)
        graph.column.append(column)
        graph.heights.append(0)
        graph.after.append([])
        graph.before.append([])
        _join(graph, Piece(path[-1], output, point, 0, wire.weight))
        path.append(point)
        output = 0
    end = graph.boxes[wire.target].inputs[wire.input]
    _join(graph, Piece(path[-1], output, wire.target, end, wire.weight))
    return [*path, wire.target]


def _join(graph: Graph, piece: Piece) -> None:
    graph.after[piece.source].append(piece)
    graph.before[piece.target].append(piece)


def _columns(count: int, wires: Sequence[Wire]) -> tuple[list[int], list[int]]:
    """The column of each box, as far left as its inputs allow, and the wires that lead forward.

    A lead-in, a chain without branches, stands directly before the box that it leads to.
    """
    after: list[list[int]] = [[] for _ in range(count)]
    before: list[list[int]] = [[] for _ in range(count)]
    order, forward = _forward(count, wires)
    for position in forward:
        wire = wires[position]
        after[wire.source].append(wire.target)
        before[wire.target].append(wire.source)
    column = [0] * count
    is_lead_in = [False] * count
    for node in order:
        sources = before[node]
        column[node] = max((column[each] + 1 for each in sources), default=0)
        follows = len(sources) == 1 and is_lead_in[sources[0]] and len(after[sources[0]]) == 1
        is_lead_in[node] = not sources or follows
    for node in reversed(order):
        if is_lead_in[node] and after[node]:
            column[node] = min(column[each] for each in after[node]) - 1
    return column, forward


def _forward(count: int, wires: Sequence[Wire]) -> tuple[list[int], list[int]]:
    """The boxes in topological order, and the wires without those that close a cycle."""
    after: list[list[int]] = [[] for _ in range(count)]
    for position, wire in enumerate(wires):
        after[wire.source].append(position)
    state = [0] * count  # 1: on the way, 2: done
    backward: set[int] = set()
    order: list[int] = []
    for start in range(count):
        if state[start]:
            continue
        state[start] = 1
        way = [(start, iter(after[start]))]
        while way:
            node, rest = way[-1]
            for position in rest:
                target = wires[position].target
                if state[target] == 1:
                    backward.add(position)
                elif not state[target]:
                    state[target] = 1
                    way.append((target, iter(after[target])))
                    break
            else:
                state[node] = 2
                order.append(node)
                way.pop()
    order.reverse()
    return order, [each for each in range(len(wires)) if each not in backward]
