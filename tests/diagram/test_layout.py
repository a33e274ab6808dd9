"""Boxes and wires are placed so that a drawing can be read, whatever the graph."""

from __future__ import annotations

import random
from itertools import combinations, pairwise

import pytest

from engine.diagram.columns import MOST_POINTS, in_columns
from engine.diagram.layout import Box, Layout, Spacing, Wire, layout
from engine.diagram.routing import Bend, track_numbers

PIXELS = Spacing(boxes=24, wires=14, tracks=9, start=18, end=22)
CELLS = Spacing(boxes=1, wires=1, tracks=2, start=2, end=3)
Graph = tuple[list[Box], list[Wire]]


def graph_of(count: int, ends: list[tuple[int, int]], row: int = 18) -> Graph:
    """A graph in which each wire has ports of its own."""
    outputs = [0] * count
    inputs = [0] * count
    wires = []
    for source, target in ends:
        wires.append(Wire(source, outputs[source], target, inputs[target]))
        outputs[source] += 1
        inputs[target] += 1
    boxes = [
        Box(5 * row, (3 + max(ins, outs)) * row, ports(ins, row), ports(outs, row))
        for ins, outs in zip(inputs, outputs, strict=True)
    ]
    return boxes, wires


def ports(count: int, row: int) -> list[int]:
    return [(2 + number) * row for number in range(count)]


def any_graph(seed: int, *, is_acyclic: bool = True) -> Graph:
    chance = random.Random(seed)
    count = chance.randint(2, 30)
    ends = [
        (chance.randrange(max(0, node - 3), node), node)
        for node in range(1, count)
        if chance.random() < 0.9
    ]
    for _ in range(chance.randint(0, 8)):
        pair = chance.sample(range(count), 2)
        ends.append((min(pair), max(pair)) if is_acyclic else (pair[0], pair[1]))
    return graph_of(count, ends)


def areas(boxes: list[Box], found: Layout) -> list[tuple[int, int, int, int]]:
    return [
        (place.x, place.y, place.x + box.width, place.y + box.height)
        for box, place in zip(boxes, found.boxes, strict=True)
    ]


@pytest.mark.parametrize("seed", range(20))
def test_boxes_do_not_overlap(seed: int) -> None:
    boxes, wires = any_graph(seed)
    for one, other in combinations(areas(boxes, layout(boxes, wires, PIXELS)), 2):
        assert one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]


@pytest.mark.parametrize("is_acyclic", [True, False])
@pytest.mark.parametrize("seed", range(10))
def test_each_wire_leads_from_its_output_to_its_input(seed: int, is_acyclic: bool) -> None:
    boxes, wires = any_graph(seed, is_acyclic=is_acyclic)
    found = layout(boxes, wires, PIXELS)
    for wire, line in zip(wires, found.wires, strict=True):
        source, target = found.boxes[wire.source], found.boxes[wire.target]
        output = boxes[wire.source].outputs[wire.output]
        assert line[0] == (source.x + boxes[wire.source].width, source.y + output)
        assert line[-1] == (target.x, target.y + boxes[wire.target].inputs[wire.input])
        assert all(a[0] == b[0] or a[1] == b[1] for a, b in pairwise(line))
        assert all(0 <= x <= found.width and 0 <= y <= found.height for x, y in line)


@pytest.mark.parametrize("seed", range(20))
def test_wires_lead_from_left_to_right(seed: int) -> None:
    boxes, wires = any_graph(seed)
    for line in layout(boxes, wires, PIXELS).wires:
        assert [x for x, _ in line] == sorted(x for x, _ in line)


@pytest.mark.parametrize("seed", range(20))
def test_no_wire_crosses_a_box(seed: int) -> None:
    boxes, wires = any_graph(seed)
    found = layout(boxes, wires, PIXELS)
    for line in found.wires:
        for (x, y), (to_x, to_y) in pairwise(line):
            for left, top, right, bottom in areas(boxes, found):
                is_beside = max(x, to_x) <= left or min(x, to_x) >= right
                assert is_beside or max(y, to_y) < top or min(y, to_y) > bottom


def test_a_chain_is_one_straight_line() -> None:
    boxes, wires = graph_of(20, [(node, node + 1) for node in range(19)])
    found = layout(boxes, wires, PIXELS)
    assert {place.y for place in found.boxes} == {0}
    assert {len(line) for line in found.wires} == {2}


def test_a_long_wire_bends_only_at_its_ends() -> None:
    boxes, wires = graph_of(6, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 5)])
    assert [len(line) for line in layout(boxes, wires, PIXELS).wires] == [2, 2, 2, 2, 2, 6]


def test_branches_keep_the_order_of_the_ports() -> None:
    boxes, wires = graph_of(4, [(0, 1), (0, 2), (0, 3)])
    tops = [place.y for place in layout(boxes, wires, PIXELS).boxes[1:]]
    assert tops == sorted(tops)


def test_branches_cross_as_rarely_as_they_can() -> None:
    boxes, wires = graph_of(6, [(0, 1), (0, 2), (1, 4), (2, 3), (3, 5), (4, 5)])
    found = layout(boxes, wires, PIXELS)
    assert found.boxes[1].y < found.boxes[2].y
    assert found.boxes[4].y < found.boxes[3].y


def test_parts_that_are_not_joined_are_below_each_other() -> None:
    boxes, wires = graph_of(4, [(0, 1), (2, 3)])
    places = layout(boxes, wires, PIXELS).boxes
    assert places[2].x == 0
    assert places[2].y >= places[1].y + boxes[1].height + PIXELS.boxes


def test_a_source_stands_next_to_what_it_feeds() -> None:
    boxes, wires = graph_of(5, [(0, 1), (1, 2), (2, 4), (3, 4)])
    places = layout(boxes, wires, PIXELS).boxes
    assert places[3].x == places[2].x


def test_a_cycle_is_drawn_around_the_boxes() -> None:
    boxes, wires = graph_of(3, [(0, 1), (1, 2), (2, 0)])
    found = layout(boxes, wires, PIXELS)
    lowest = max(bottom for *_, bottom in areas(boxes, found))
    assert max(y for _, y in found.wires[2]) > lowest
    assert found.boxes[0].x < found.boxes[1].x < found.boxes[2].x


def test_a_box_that_feeds_itself_is_drawn() -> None:
    boxes, wires = graph_of(1, [(0, 0)])
    assert len(layout(boxes, wires, PIXELS).wires[0]) == 6


def test_cells_give_whole_numbers() -> None:
    boxes, wires = any_graph(5)
    small = [
        Box(b.width // 9, b.height // 9, [p // 9 for p in b.inputs], [p // 9 for p in b.outputs])
        for b in boxes
    ]
    found = layout(small, wires, CELLS)
    assert all(type(number) is int for place in found.boxes for number in place)
    assert all(type(number) is int for line in found.wires for point in line for number in point)


def test_nothing_needs_no_room() -> None:
    assert layout([], [], PIXELS) == Layout([], [], 0, 0)


def test_a_label_has_room_beside_its_box() -> None:
    boxes, wires = graph_of(2, [(0, 1)])
    wide = layout(boxes, [wires[0]._replace(label=200)], PIXELS)
    assert wide.width == layout(boxes, wires, PIXELS).width + 200


def test_thousands_of_long_wires_do_not_add_points_without_end() -> None:
    count = 1500
    ends = [(node, node + 1) for node in range(count - 1)]
    ends += [(node, count - 1) for node in range(count - 2)]
    boxes, wires = graph_of(count, ends)
    graph = in_columns(boxes, wires)
    assert len(graph.column) <= count + MOST_POINTS
    assert None in graph.paths
    found = layout(boxes, wires, PIXELS)
    assert all(line[0] != line[-1] for line in found.wires)


def test_a_wide_fan_gets_a_track_for_each_wire() -> None:
    boxes, wires = graph_of(400, [(0, node) for node in range(1, 400)])
    found = layout(boxes, wires, PIXELS)
    vertical = [line[1] for line in found.wires if len(line) == 4]
    assert len({x for x, _ in vertical}) == len(vertical)


@pytest.mark.parametrize(
    ("bends", "tracks"),
    [
        ([Bend(0, 10), Bend(2, 12)], [1, 0]),  # both down: the lower one first
        ([Bend(10, 0), Bend(12, 2)], [0, 1]),  # both up: the upper one first
        ([Bend(0, 4), Bend(10, 14)], [0, 0]),  # apart from each other
        ([Bend(0, 5), Bend(5, 9)], [1, 0]),  # one leaves the row into which the other comes
        ([Bend(0, 9), Bend(9, 0)], [0, 1]),  # they swap rows: any order
    ],
)
def test_tracks_are_chosen_so_that_lines_do_not_touch(bends: list[Bend], tracks: list[int]) -> None:
    assert track_numbers(bends) == tracks
