"""Orders the nodes of each column so that few wires cross: sweeps of barycentres."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence

from engine.diagram.columns import Graph, Piece

_SWEEPS = 8
_MOST_STEPS = 60_000
"""Bound on sweeps times pieces, for very large pipelines."""

_PATIENCE = 2
"""Sweeps without a better order before it stops."""


def ordered(graph: Graph) -> list[list[int]]:
    """The nodes of each column from top to bottom."""
    columns = _as_visited(graph)
    pieces = sum(map(len, graph.after))
    best, fewest = columns, _crossings(graph, columns)
    waited = 0
    for sweep in range(min(_SWEEPS, max(2, _MOST_STEPS // (pieces + 1)))):
        if not fewest or waited > _PATIENCE:
            break
        columns = _swept(graph, columns, forward=sweep % 2 == 0)
        crossings = _crossings(graph, columns)
        waited += 1
        if crossings < fewest:
            best, fewest, waited = columns, crossings, 0
    return best


def _as_visited(graph: Graph) -> list[list[int]]:
    """An order to begin with: boxes follow those that feed them, in the order of the ports."""
    columns: list[list[int]] = [[] for _ in range(graph.width)]
    seen = [False] * len(graph.column)
    for start in range(len(graph.boxes)):
        if seen[start] or graph.before[start]:
            continue
        waiting = [start]
        while waiting:
            node = waiting.pop()
            if seen[node]:
                continue
            seen[node] = True
            columns[graph.column[node]].append(node)
            waiting.extend(piece.target for piece in reversed(graph.after[node]))
    for node, was_seen in enumerate(seen):
        if not was_seen:  # fed only by a wire that goes around the boxes
            columns[graph.column[node]].append(node)
    return columns


def _swept(graph: Graph, columns: list[list[int]], *, forward: bool) -> list[list[int]]:
    """Each column sorted by the mean place of the neighbours in the column before it."""
    result = [list(column) for column in columns]
    numbers = range(1, len(result)) if forward else range(len(result) - 2, -1, -1)
    neighbours = graph.before if forward else graph.after
    place = [0.0] * len(graph.column)
    start = result[0 if forward else -1]
    for position, node in enumerate(start):
        place[node] = position
    for number in numbers:
        column = result[number]
        keys = {
            node: _barycentre(graph, neighbours[node], place, position, forward=forward)
            for position, node in enumerate(column)
        }
        column.sort(key=keys.__getitem__)
        for position, node in enumerate(column):
            place[node] = position
    return result


def _barycentre(
    graph: Graph, pieces: Sequence[Piece], place: Sequence[float], own: float, *, forward: bool
) -> float:
    """The mean place of the ports that a node is joined to; its own place if there are none."""
    if not pieces:
        return own
    total = 0.0
    for source, output, target, port, _ in pieces:
        node, offset = (source, output) if forward else (target, port)
        total += place[node] + offset / (graph.heights[node] + 1)
    return total / len(pieces)


def _crossings(graph: Graph, columns: Sequence[Sequence[int]]) -> int:
    """How many pairs of pieces cross between neighbouring columns."""
    place = [0] * len(graph.column)
    for column in columns:
        for position, node in enumerate(column):
            place[node] = position
    count = 0
    for column in columns:
        ends: list[tuple[int, int]] = []
        for node in column:
            for piece in graph.after[node]:
                end = (place[piece.target], piece.input)
                count += len(ends) - bisect_right(ends, end)
                insort(ends, end)
    return count
