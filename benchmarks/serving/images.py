"""Images of digits, and what the bare model answers for each."""

from __future__ import annotations

import json
import os
import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks.serving.servers import ROOT

SIDE = 28
PIXELS = SIDE * SIDE
IDX_HEADER = 16
MODEL = ROOT / "models" / "digits.json"

Answers = list[tuple[int, float]]
"""Label and probability of each image."""


@dataclass(frozen=True, slots=True)
class BareModel:
    """The model called in a loop: milliseconds per image, and its answers."""

    p50: float
    answers: Answers


def load_images(count: int) -> list[bytes]:
    """Up to 10,000 test images of MNIST, 784 bytes each, as saved by model_building.yaml.

    Without them the images are random strokes, for which the answers vary as much.
    """
    home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    path = home / "datasets" / "mnist" / "t10k-images-idx3-ubyte"
    if not path.exists():
        return [_drawn(random.Random(number)) for number in range(count)]
    content = path.read_bytes()[IDX_HEADER:]
    return [content[at : at + PIXELS] for at in range(0, len(content), PIXELS)][:count]


def _drawn(chance: random.Random) -> bytes:
    """A few thick straight strokes."""
    image = bytearray(PIXELS)
    x, y = chance.uniform(6, 21), chance.uniform(6, 21)
    for _ in range(chance.randint(2, 4)):
        to_x, to_y = chance.uniform(5, 22), chance.uniform(5, 22)
        for step in range(40):
            column = int(x + (to_x - x) * step / 40)
            row = int(y + (to_y - y) * step / 40)
            for at in (row * SIDE + column, row * SIDE + column + 1, (row + 1) * SIDE + column):
                image[at] = 255
        x, y = to_x, to_y
    return bytes(image)


def as_json(image: bytes) -> bytes:
    """28 rows of 28 numbers, as in a request."""
    rows = [list(image[at : at + SIDE]) for at in range(0, PIXELS, SIDE)]
    return orjson.dumps(rows)


def bare_model(python: Path, images: list[bytes], calls: int = 1_000) -> BareModel:
    """Call the model in a separate process, under the interpreter that has LiteRT."""
    finished = subprocess.run(
        [python, "-m", "benchmarks.serving.rivals.digits_bare", "--calls", str(calls)],
        cwd=ROOT,
        input=b"".join(images),
        capture_output=True,
        timeout=300,
    )
    if finished.returncode:
        raise RuntimeError(f"The model could not be called: {finished.stderr.decode()[-1500:]}")
    found = json.loads(finished.stdout)
    return BareModel(found["p50"], [(pred, conf) for pred, conf in found["answers"]])
