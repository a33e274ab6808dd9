"""Digits that people wrote with a pen, recorded as strokes: not part of this repository.

The file has one JSON object per line: `writer`, `digit`, and `strokes`, lists of points [x, y].
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT.parent / "shared/strokes/dev.jsonl"
EXTENT = 300
"""The canvas' width and height."""

Strokes = list[list[list[float]]]


class Place(NamedTuple):
    """Where on the canvas, and the larger extent there."""

    left: float
    top: float
    extent: float


PLACES = [
    Place(60, 50, 180),
    Place(10, 15, 90),
    Place(165, 150, 120),
    Place(20, 20, 260),
    Place(215, 20, 70),
    Place(20, 200, 80),
    Place(90, 100, 140),
]


class Drawing(NamedTuple):
    writer: str
    digit: int
    place: Place
    strokes: Strokes


def drawings() -> list[Drawing]:
    """All recorded digits, each at one of the places. Skips the test if there are none."""
    if not RECORDED.is_file():
        pytest.skip("shared/strokes, recorded handwriting, is not here")
    rows = [json.loads(line) for line in RECORDED.read_text().splitlines()]
    found = []
    for number, row in enumerate(rows):
        place = PLACES[number % len(PLACES)]
        found.append(Drawing(row["writer"], row["digit"], place, placed(row["strokes"], place)))
    return found


def placed(strokes: Strokes, place: Place) -> Strokes:
    """The strokes, whose larger extent is 1000, in units of the canvas."""
    scale = place.extent / 1000
    return [[[place.left + scale * x, place.top + scale * y] for x, y in s] for s in strokes]


def images_of_page(drawn: Sequence[Strokes]) -> Any:
    """What the page shows the network of each drawing: float arrays of shape (N, 28, 28)."""
    module = (ROOT / "web/src/mnist.js").as_uri()
    script = f"""
      import {{ toMnist }} from "{module}";
      let text = "";
      for await (const piece of process.stdin) text += piece;
      console.log(JSON.stringify(JSON.parse(text).map((each) => Array.from(toMnist(each)))));
    """
    done = subprocess.run(
        ["node", "--input-type=module", "--eval", script],
        input=json.dumps(drawn),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return np.array(json.loads(done.stdout)).reshape(-1, 28, 28)
