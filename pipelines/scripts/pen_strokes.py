"""Turn a drawing, given as the strokes of a pen, into an image in MNIST's format.

A module of the digit scripts. It computes what the page computes; `web/src/mnist.js` says why.
"""

import numpy as np

SIZE, BOX = 28, 20
PEN, EDGE = 2.4, 2.2
PIXELS = np.arange(SIZE) + 0.5


def to_mnist(strokes):
    """The grey values from 0 (black) to 1 (white), float32 of shape (28, 28, 1).

    A stroke is a list of points [x, y], in any unit, y downwards.
    """
    lines = fitted(np.concatenate([lines_of(stroke) for stroke in strokes if len(stroke)]))
    image = rasterised(lines)
    centre = np.array([image.sum(axis=0) @ PIXELS, image.sum(axis=1) @ PIXELS]) / image.sum()
    low, high = lines.min(axis=(0, 1)), lines.max(axis=(0, 1))
    inside = np.clip(SIZE / 2 - centre, PEN / 2 - low, SIZE - PEN / 2 - high)
    return rasterised(lines + inside)[..., None].astype(np.float32)


def lines_of(stroke):
    """The straight lines between the points: shape (N, 2, 2), for from and to, and for x and y."""
    points = np.array(stroke, float)
    return np.stack([np.concatenate([points[:1], points[:-1]]), points], axis=1)


def fitted(lines):
    """Scaled and moved so that the ink, pen width included, fits the central box of 20 x 20."""
    low, high = lines.min(axis=(0, 1)), lines.max(axis=(0, 1))
    extent = (high - low).max()
    scale = (BOX - PEN) / extent if extent > 0 else 0
    return (lines - (low + high) / 2) * scale + SIZE / 2


def rasterised(lines):
    """The image of the lines, with soft edges."""
    start, end = (lines[:, part, None, None] for part in (0, 1))
    along = end - start
    length = (along**2).sum(axis=-1)
    pixels = np.stack(np.meshgrid(PIXELS, PIXELS), axis=-1) - start
    passed = (pixels * along).sum(axis=-1) / np.where(length > 0, length, 1)
    nearest = np.clip(passed, 0, 1)[..., None] * along
    distance = np.hypot(*np.moveaxis(pixels - nearest, -1, 0)).min(axis=0)
    return np.clip(0.5 + (PEN / 2 - distance) / EDGE, 0, 1)
