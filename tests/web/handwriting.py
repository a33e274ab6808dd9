"""Digits as people write them: the strokes of several hands, placed where a test wants them.

A hand is a list of strokes; a stroke is a list of points in a box about 60 wide and 100 high, x to
the right and y down. The pen moves in a curve through the points; where a point is repeated, it
turns sharply.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

Point = Sequence[float]
Stroke = list[Point]
Hand = list[Stroke]

HANDS: dict[int, list[Hand]] = {
    int(digit): hands
    for digit, hands in json.loads(Path(__file__).with_suffix(".json").read_text()).items()
}
"""From handwriting.json: three or four hands for each digit."""


class Place(NamedTuple):
    """Position on the canvas, height, and slant to the right as a part of the height."""

    left: float
    top: float
    height: float
    slant: float


PLACES = [
    Place(95, 60, 180, 0.0),
    Place(25, 20, 90, 0.12),
    Place(180, 150, 120, -0.1),
    Place(70, 25, 250, 0.06),
    Place(210, 25, 70, 0.2),
    Place(30, 190, 80, 0.0),
    Place(120, 110, 140, 0.15),
]
"""In the middle, in the corners, small and large, upright and leaning."""


class Drawing(NamedTuple):
    digit: int
    hand: int
    place: Place
    strokes: list[Stroke]


def drawings() -> Iterator[Drawing]:
    """Every hand at two places; each place is used for every digit in turn."""
    number = 0
    for digit, hands in HANDS.items():
        for at, hand in enumerate(hands):
            for _ in range(2):
                place = PLACES[number % len(PLACES)]
                yield Drawing(digit, at, place, [_placed(stroke, place) for stroke in hand])
                number += 1


def _placed(stroke: Stroke, place: Place) -> Stroke:
    scale = place.height / 100
    return [
        (place.left + scale * (x + place.slant * (100 - y)), place.top + scale * y)
        for x, y in _curved(stroke)
    ]


def _curved(stroke: Stroke, steps: int = 3) -> Stroke:
    """A curve through all points (Catmull-Rom), with sharp turns at repeated points."""
    points = [stroke[0], *stroke, stroke[-1]]
    curve = [stroke[0]]
    for before, start, end, after in zip(points, points[1:], points[2:], points[3:], strict=False):
        if start != end:
            curve += [_between(before, start, end, after, n / steps) for n in range(1, steps + 1)]
    return curve


def _between(before: Point, start: Point, end: Point, after: Point, t: float) -> Point:
    def at(a: float, b: float, c: float, d: float) -> float:
        linear, square, cubic = c - a, 2 * a - 5 * b + 4 * c - d, 3 * b - a - 3 * c + d
        return b + 0.5 * t * (linear + t * (square + t * cubic))

    return at(before[0], start[0], end[0], after[0]), at(before[1], start[1], end[1], after[1])
