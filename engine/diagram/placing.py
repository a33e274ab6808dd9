"""Moves the nodes of each column up or down, until as many wires as possible are straight.

In turn, each column is placed for its neighbours on one side: every piece of a wire asks for the
height at which it would be straight, and the column answers with the places of least total
distance that keep order and gaps. Least distance, not least square: so most wires become exactly
straight, and places are taken from the given numbers, which stay integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from engine.diagram.columns import Graph, Piece

if TYPE_CHECKING:
    from engine.diagram.layout import Spacing

_SWEEPS = 4
_MOST_STEPS = 10_000
_LONG = 8.0
"""Weight of a piece between two points: bends of long wires show most."""

_STRAIGHT = 2.0
"""Weight of a piece that is the only one at both of its ends."""

_PREFERENCE = 1e-3
"""By how much the first of several equal pieces outweighs the next one."""


def placed(graph: Graph, columns: Sequence[Sequence[int]], spacing: Spacing) -> list[int]:
    """The top of each node; the highest is at zero."""
    tops = _stacked(graph, columns, spacing)
    sweeps = min(_SWEEPS, max(1, _MOST_STEPS // (len(graph.column) + 1)))
    for _ in range(sweeps):
        for column in reversed(columns):
            _place(graph, column, tops, spacing, forward=False)
        for column in columns:
            _place(graph, column, tops, spacing, forward=True)
    highest = min(tops, default=0)
    return [top - highest for top in tops]


def gap(graph: Graph, upper: int, lower: int, spacing: Spacing) -> int:
    """The least distance from the top of a node to the top of the next one."""
    both_boxes = graph.heights[upper] and graph.heights[lower]
    return graph.heights[upper] + (spacing.boxes if both_boxes else spacing.wires)


def _stacked(graph: Graph, columns: Sequence[Sequence[int]], spacing: Spacing) -> list[int]:
    tops = [0] * len(graph.column)
    for column in columns:
        for upper, lower in pairwise(column):
            tops[lower] = tops[upper] + gap(graph, upper, lower, spacing)
    return tops


def _place(
    graph: Graph, column: Sequence[int], tops: list[int], spacing: Spacing, *, forward: bool
) -> None:
    """Place a column for its neighbours: blocks of nodes that touch move as one."""
    blocks: list[_Block] = []
    last = None
    for node in column:
        distance = 0 if last is None else gap(graph, last, node, spacing)
        block = _Block(node, _wishes(graph, node, tops, forward=forward))
        while blocks and blocks[-1].top + blocks[-1].extent + distance > block.top:
            upper = blocks.pop()
            upper.append(block, distance)
            block = upper
            distance = blocks[-1].below if blocks else 0
        block.below = 0
        if blocks:
            blocks[-1].below = distance
        blocks.append(block)
        last = node
    for block in blocks:
        for node, offset in block.nodes:
            tops[node] = block.top + offset


def _wishes(
    graph: Graph, node: int, tops: Sequence[int], *, forward: bool
) -> list[tuple[int, float]]:
    """The tops at which the pieces on one side would be straight, with their weights."""
    pieces = graph.before[node] if forward else graph.after[node]
    if not pieces:
        return [(tops[node], 0.1)]
    wishes = []
    for number, piece in enumerate(pieces):
        if forward:
            top = tops[piece.source] + piece.output - piece.input
        else:
            top = tops[piece.target] + piece.input - piece.output
        wishes.append((top, _weight(graph, piece) * (1 - number * _PREFERENCE)))
    wishes.sort()
    return wishes


def _weight(graph: Graph, piece: Piece) -> float:
    if not graph.heights[piece.source] and not graph.heights[piece.target]:
        return _LONG * piece.weight
    is_single = len(graph.after[piece.source]) == len(graph.before[piece.target]) == 1
    return (_STRAIGHT if is_single else 1.0) * piece.weight


class _Block:
    """Nodes at fixed distances, and where their wishes would have the first of them."""

    def __init__(self, node: int, wishes: list[tuple[int, float]]) -> None:
        self.nodes = [(node, 0)]
        self.extent = 0
        self.below = 0
        self._wishes = wishes
        self.top = _median(wishes)

    def append(self, lower: _Block, distance: int) -> None:
        """Join a block that begins at a distance below the top of the last node."""
        offset = self.extent + distance
        self.nodes += [(node, own + offset) for node, own in lower.nodes]
        penalty = 1 - _PREFERENCE / 10  # the upper of two equals stays straight
        self._wishes += [(top - offset, weight * penalty) for top, weight in lower._wishes]
        self._wishes.sort()
        self.extent = offset + lower.extent
        self.top = _median(self._wishes)


def _median(wishes: Sequence[tuple[int, float]]) -> int:
    """The weighted median: the wish from which the total distance to all of them is least."""
    if len(wishes) == 1:
        return wishes[0][0]
    half = sum([weight for _, weight in wishes]) / 2
    for top, weight in wishes:
        half -= weight
        if half <= 0:
            return top
    return wishes[-1][0]
