"""Routes wires through the channels between the columns, and so finds the width of each channel.

A wire that is not straight bends twice in a channel: along its row to a track, along the track to
the next row. Tracks are chosen so that no two vertical lines touch, no two horizontal lines share
a piece, and wires that need not cross do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from engine.diagram.columns import Graph

if TYPE_CHECKING:
    from engine.diagram.layout import Spacing

_MOST_COMPARED = 150
"""Bends of a channel that are compared pair by pair; beyond that, each has a track of its own."""

Corner = tuple[int, int]


class Routed(NamedTuple):
    """The corner of each box, the corners of each wire, and the size of it all."""

    places: list[Corner]
    lines: list[list[Corner]]
    width: int
    height: int


class Bend(NamedTuple):
    """A vertical line: from the row in which the wire comes to the one in which it goes on."""

    start: int
    end: int

    @property
    def leads_down(self) -> bool:
        return self.end > self.start

    @property
    def span(self) -> tuple[int, int]:
        return (self.start, self.end) if self.leads_down else (self.end, self.start)


def routed(
    graph: Graph, columns: Sequence[Sequence[int]], tops: Sequence[int], spacing: Spacing
) -> Routed:
    """Places of the boxes and lines of the wires."""
    bottom = max(top + height for top, height in zip(tops, graph.heights, strict=True))
    lanes, height = _lanes(graph, bottom, spacing)
    rows = [_rows(graph, tops, position, lanes) for position in range(len(graph.wires))]
    bends: list[dict[tuple[int, int], Bend]] = [{} for _ in range(graph.width + 1)]
    for position, steps in enumerate(rows):
        for number, (channel, bend) in enumerate(steps):
            if bend.start != bend.end:
                bends[channel][position, number] = bend
    tracks = [dict(zip(each, track_numbers(list(each.values())), strict=True)) for each in bends]
    starts, lefts = _across(graph, columns, tracks, spacing)
    lines = []
    for position, (wire, steps) in enumerate(zip(graph.wires, rows, strict=True)):
        right = lefts[graph.column[wire.source]] + graph.boxes[wire.source].width
        line = [(right, steps[0][1].start)]
        for number, (channel, bend) in enumerate(steps):
            if bend.start != bend.end:
                x = starts[channel] + tracks[channel][position, number] * spacing.tracks
                line += [(x, bend.start), (x, bend.end)]
        line.append((lefts[graph.column[wire.target]], steps[-1][1].end))
        lines.append(line)
    places = [(lefts[graph.column[node]], tops[node]) for node in range(len(graph.boxes))]
    rights = [left + box.width for (left, _), box in zip(places, graph.boxes, strict=True)]
    return Routed(places, lines, max([*rights, *(x for line in lines for x, _ in line)]), height)


def _lanes(graph: Graph, bottom: int, spacing: Spacing) -> tuple[dict[int, int], int]:
    """The rows below all boxes for the wires that go around them, and the height with these."""
    around = []
    for position, path in enumerate(graph.paths):
        if path is None:
            wire = graph.wires[position]
            ends = (graph.column[wire.source], graph.column[wire.target] - 1)
            around.append((min(ends), max(ends), position))
    lanes: dict[int, int] = {}
    used: list[tuple[int, int]] = []  # the last channel of each lane, and its row
    height = bottom
    for first, last, position in sorted(around):
        if used and used[0][0] < first:
            _, row = heappop(used)
        else:
            row = height = height + spacing.wires
        lanes[position] = row
        heappush(used, (last, row))
    return lanes, height + 1 if lanes else bottom


def _rows(
    graph: Graph, tops: Sequence[int], position: int, lanes: dict[int, int]
) -> list[tuple[int, Bend]]:
    """Each channel that a wire passes, with its rows before and after it.

    Channel 0 is to the left of column 0, channel 1 to its right.
    """
    wire, path = graph.wires[position], graph.paths[position]
    start = tops[wire.source] + graph.boxes[wire.source].outputs[wire.output]
    end = tops[wire.target] + graph.boxes[wire.target].inputs[wire.input]
    first = graph.column[wire.source] + 1
    if path is None:
        lane = lanes[position]
        return [(first, Bend(start, lane)), (graph.column[wire.target], Bend(lane, end))]
    rows = [start, *(tops[node] for node in path[1:-1]), end]
    return [(first + number, Bend(*pair)) for number, pair in enumerate(pairwise(rows))]


def _across(
    graph: Graph,
    columns: Sequence[Sequence[int]],
    tracks: Sequence[dict[tuple[int, int], int]],
    spacing: Spacing,
) -> tuple[list[int], list[int]]:
    """Where the first track of each channel and each column are.

    A label is to the right of its box, which may be narrower than the column.
    """
    boxes = len(graph.boxes)
    labelled = [
        max((graph.boxes[node].width for node in column if node < boxes), default=0)
        for column in columns
    ]
    for wire in graph.wires:
        number, end = graph.column[wire.source], graph.boxes[wire.source].width + wire.label
        labelled[number] = max(labelled[number], end)
    starts, lefts = [0], []
    x = _tracks_width(tracks[0], spacing) + (spacing.end if tracks[0] else 0)
    for number, width in enumerate(labelled):
        lefts.append(x)
        starts.append(x + width + spacing.start)
        x = starts[-1] + _tracks_width(tracks[number + 1], spacing) + spacing.end
    return starts, lefts


def _tracks_width(tracks: dict[tuple[int, int], int], spacing: Spacing) -> int:
    return max(tracks.values(), default=0) * spacing.tracks


def track_numbers(bends: Sequence[Bend]) -> list[int]:
    """The track of each bend of a channel, counted from the left."""
    if len(bends) > _MOST_COMPARED:
        ranked = sorted(range(len(bends)), key=lambda each: _rank(bends[each]))
        return [number for _, number in sorted(zip(ranked, range(len(bends)), strict=True))]
    left_of: list[set[int]] = [
        {one for one, bend in enumerate(bends) if one != own and _is_left(bend, bends[own])}
        for own in range(len(bends))
    ]
    tracks: dict[int, int] = {}
    waiting = sorted(range(len(bends)), key=lambda each: _rank(bends[each]))
    while waiting:
        free = (each for each in waiting if left_of[each] <= tracks.keys())
        own = next(free, waiting[0])  # a cycle: some lines will share a piece
        waiting.remove(own)
        number = max((tracks[each] + 1 for each in left_of[own] if each in tracks), default=0)
        while any(tracks[each] == number and _touch(bends[each], bends[own]) for each in tracks):
            number += 1
        tracks[own] = number
    return [tracks[own] for own in range(len(bends))]


def _rank(bend: Bend) -> tuple[bool, int]:
    """Lines that lead down from left to right begin with the lowest; up, with the highest."""
    return (True, -bend.start) if bend.leads_down else (False, bend.start)


def _touch(one: Bend, other: Bend) -> bool:
    (top, bottom), (other_top, other_bottom) = one.span, other.span
    return top <= other_bottom and other_top <= bottom


def _is_left(one: Bend, other: Bend) -> bool:
    """Whether a line must be to the left of another one."""
    if one.start == other.end:
        return other.start != one.end or one.leads_down  # two that swap rows: either way
    if other.start == one.end or one.leads_down != other.leads_down:
        return False
    return _touch(one, other) and _rank(one) < _rank(other)
