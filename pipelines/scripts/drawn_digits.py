"""Draw digits in the styles of many hands, as images to train on.

A module of the digit scripts. MNIST was written on forms in one country; elsewhere, people slash
their zeros, bar their sevens and give their ones a flag and a foot, and a network that has hardly
seen that is often wrong, and sure of it. `digit_styles.py` says how such digits are written, as the
strokes of a pen. Here every style is written again and again, each time with points, proportions,
slant and pen of its own, and placed in 28 x 28 pixels as the images of MNIST are.
"""

import math
from functools import cache

import numpy as np
from digit_styles import STYLES

SIZE, BOX = 28, 20
"""Pixels of an image, and of the box in it that the digit fills."""
PEN = (1.9, 3.0)
"""Width of the pen in pixels, from and to. The page draws with 2.4."""
SPREAD = (0.5, 1.0)
"""How far ink spreads, as standard deviation in pixels: edges from sharp to softer than MNIST's."""
DENSITY = 72
"""Number of points on the curves of a digit, from which ink flows."""
WOBBLE = 0.03
"""How far points of a style stray, as a part of the digit's height (standard deviation)."""


def drawn_digits(count, random):
    """Images, float32 from 0 to 1 of shape (count, 28, 28, 1), and their labels.

    All digits are about as frequent, and so are all styles of a digit.
    """
    images, labels = [], []
    for digit, styles in STYLES.items():
        copies = math.ceil(count / len(STYLES) / len(styles))
        for style in styles:
            images.append(draw(style, copies, random))
            labels.append(np.full(copies, digit))
    chosen = random.permutation(sum(map(len, labels)))[:count]
    return np.concatenate(images)[chosen, ..., None], np.concatenate(labels)[chosen]


def draw(style, copies, random):
    """Images of shape (copies, 28, 28)."""
    controls, curves, is_pen_down = parsed(style)
    points = leaning(bent(curves @ straying(controls, copies, random), random), random)
    pen = random.uniform(*PEN, (copies, 1)).astype(np.float32)
    spread = random.uniform(*SPREAD, (copies, 1)).astype(np.float32)
    return inked(*placed(points.astype(np.float32), is_pen_down, pen), pen, spread)


# Styles ---------------------------------------------------------------------------------------


@cache
def parsed(style):
    """The points of a style, as parts of its height, and how to make curves of them.

    The second value is a matrix: multiplied by the points, it gives DENSITY points on the curves.
    The third says whether the pen is down between one of these and the next.
    """
    strokes = [parsed_stroke(text) for text in style.split("|")]
    lengths = np.array([np.hypot(*np.diff(stroke, axis=0).T).sum() for stroke in strokes])
    counts = np.maximum(8, (DENSITY * lengths / lengths.sum()).astype(int))
    blocks = [curve(stroke, count) for stroke, count in zip(strokes, counts, strict=True)]
    ends = np.cumsum(counts)
    curves = np.zeros((ends[-1], sum(map(len, strokes))))
    left = 0
    for block, end in zip(blocks, ends, strict=True):
        curves[end - len(block) : end, left : left + block.shape[1]] = block
        left += block.shape[1]
    return np.concatenate(strokes), curves, ~np.isin(np.arange(1, ends[-1]), ends)


def parsed_stroke(text):
    """The points in a text such as `0,0 50,2! 26,100`; one with `!` comes twice."""
    points = []
    for word in text.split():
        x, y = word.rstrip("!").split(",")
        points += [(float(x) / 100, float(y) / 100)] * (1 + word.endswith("!"))
    return np.array(points)


def curve(stroke, count):
    """A matrix for `count` points, evenly spaced on a Catmull-Rom curve through a stroke's points.

    Where a point comes twice, the curve turns sharply.
    """
    lengths = np.hypot(*np.diff(stroke, axis=0).T)
    ends = np.cumsum(lengths)
    matrix = np.zeros((count, len(stroke)))
    for row, passed in enumerate(np.linspace(0, ends[-1] * (1 - 1e-9), count)):
        start = int(np.searchsorted(ends, passed, side="right"))
        t = 1 - (ends[start] - passed) / lengths[start]
        weights = catmull_rom(t)
        for point, weight in zip(range(start - 1, start + 3), weights, strict=True):
            matrix[row, min(max(point, 0), len(stroke) - 1)] += weight
    return matrix


def catmull_rom(t):
    """The weights of the point before, of the two points that the curve is between, and after."""
    return (
        (-t + 2 * t**2 - t**3) / 2,
        (2 - 5 * t**2 + 3 * t**3) / 2,
        (t + 4 * t**2 - 3 * t**3) / 2,
        (t**3 - t**2) / 2,
    )


# Handwriting ----------------------------------------------------------------------------------


def straying(points, copies, random):
    """Every point a little elsewhere in each copy; a corner stays a corner."""
    astray = random.normal(0, WOBBLE, (copies, *points.shape))
    again = 1 + np.flatnonzero((np.diff(points, axis=0) == 0).all(axis=1))
    astray[:, again] = astray[:, again - 1]
    return points + astray


def bent(points, random):
    """Proportions of the parts: a small loop above a large one, a stem that bows, a wide digit."""
    x, y = np.moveaxis(points, -1, 0)
    upper, left, bow = random.normal(0, 0.045, (3, len(points), 1))
    width = np.exp(random.normal(0, 0.2, (len(points), 1)))
    wave = 2 * np.pi * x / 0.6  # a digit is about 0.6 wide
    return np.stack(
        [
            width * (x + bow * np.sin(np.pi * y) + 0.4 * left * np.sin(wave)),
            y + upper * np.sin(2 * np.pi * y) + 0.5 * left * np.sin(wave / 2),
        ],
        axis=-1,
    )


def leaning(points, random):
    """Slanted, mostly to the right, and turned a little."""
    x, y = np.moveaxis(points, -1, 0)
    x = x - random.normal(0.08, 0.14, (len(points), 1)) * y
    angle = random.normal(0, np.deg2rad(5), (len(points), 1))
    across, along = np.cos(angle), np.sin(angle)
    return np.stack([across * x - along * y, along * x + across * y], axis=-1)


# Images ---------------------------------------------------------------------------------------


def placed(points, is_pen_down, pen):
    """The middles of the short lines between points, in pixels, and the lengths of the lines.

    Like the images of MNIST: the digit fits the box, and its centre of mass is in the middle.
    """
    low, high = points.min(axis=1), points.max(axis=1)
    scale = (BOX - pen) / (high - low).max(axis=1, keepdims=True)
    points = points * scale[..., None]
    lines = np.diff(points, axis=1)
    length = np.hypot(lines[..., 0], lines[..., 1]) * is_pen_down
    middles = points[:, 1:] - lines / 2
    mass = length / length.sum(axis=1, keepdims=True)
    centre = (middles * mass[..., None]).sum(axis=1, keepdims=True)
    return middles - centre + SIZE / 2, length


def inked(points, length, pen, spread):
    """The images: around each point ink spreads as a Gaussian, and no pixel is brighter than 1.

    A Gaussian in the plane is one along x times one along y, so the sum over all points is a
    product of two matrices, and quick. There is as much ink as makes a line half as bright as
    possible where the pen ends.
    """
    pixels = np.arange(SIZE, dtype=np.float32) + 0.5
    x, y = points[..., :1], points[:, None, :, 1]
    spread = spread[..., None]
    ink = 0.5 * np.exp((pen[..., None] / spread) ** 2 / 8) / (math.sqrt(2 * math.pi) * spread)
    across = gaussian((x - pixels) / spread) * (ink * length[..., None])
    down = gaussian((y - pixels[:, None]) / spread)
    return np.minimum(down @ across, 1)


def gaussian(distance):
    """Cut off far out: products of even smaller numbers are a hundred times slower."""
    return np.exp(-np.minimum(distance**2 / 2, 16))
