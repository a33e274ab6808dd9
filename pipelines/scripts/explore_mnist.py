"""Draw sample digits of MNIST with their labels, and count its classes.

A Remote Python script. Its only row is the document of `load_mnist.py`. The answer has the counts,
the shapes and, in `content`, the picture: a PNG as base64.
"""

import base64
import io

from parameters import whole_number
from snaplogic.tool import SLTool as slt  # noqa: N813

slt.ensure("numpy")
slt.ensure("matplotlib")

import matplotlib  # noqa: E402 - installed above if it was missing
import numpy as np  # noqa: E402
from mnist import unpacked  # noqa: E402

matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402

CLASSES = 10
LIGHT, STRONG, TEXT, LINE = "#56b4e9", "#0072b2", "#1f2328", "#d1d9e0"
STYLE = {
    "font.size": 10,
    "text.color": TEXT,
    "axes.labelcolor": TEXT,
    "axes.edgecolor": LINE,
    "xtick.color": TEXT,
    "ytick.color": TEXT,
    "grid.color": LINE,
}


def described(images, labels):
    """Shapes, the number of images of each class, and the range of pixel values."""
    counts = np.bincount(labels, minlength=CLASSES).tolist()
    return {
        "images": {"shape": list(images.shape), "dtype": str(images.dtype)},
        "labels": {"shape": list(labels.shape), "dtype": str(labels.dtype)},
        "classes": {str(digit): count for digit, count in enumerate(counts)},
        "pixels": {
            "least": int(images.min()),
            "most": int(images.max()),
            "mean": round(float(images.mean()), 3),
        },
    }


def chosen(labels, rows, seed):
    """`rows` random positions of each class, as an array with ten columns."""
    random = np.random.default_rng(seed)
    columns = [
        random.choice(np.flatnonzero(labels == digit), rows, replace=False)
        for digit in range(CLASSES)
    ]
    return np.stack(columns, axis=1)


def picture(images, labels, train, test):
    """A PNG of the samples, one column per class, above the number of images in each class."""
    rows = len(labels)
    with pyplot.rc_context(STYLE):
        figure = pyplot.figure(figsize=(8, 0.74 * rows + 3.9), layout="constrained")
        figure.suptitle("MNIST: handwritten digits", fontsize=14, fontweight="bold")
        above, below = figure.subfigures(2, 1, height_ratios=[0.74 * rows + 0.4, 2.8])
        draw_samples(above, images, labels)
        draw_counts(below, train, test)
        stream = io.BytesIO()
        figure.savefig(stream, format="png", dpi=150, facecolor="white")
        pyplot.close(figure)
    return stream.getvalue()


def draw_samples(figure, images, labels):
    rows = len(labels)
    grid = figure.subplots(rows, CLASSES, squeeze=False)
    for place, axes in np.ndenumerate(grid):
        axes.imshow(images[place], cmap="gray_r", vmin=0, vmax=255)
        axes.set_xticks([])
        axes.set_yticks([])
        if place[0] == 0:
            axes.set_title(str(labels[place]), fontsize=12, fontweight="bold", color=STRONG)


def draw_counts(figure, train, test):
    axes = figure.subplots()
    digits = np.arange(CLASSES)
    for offset, colour, part, name in (
        (-0.21, STRONG, train, "training"),
        (0.21, LIGHT, test, "test"),
    ):
        counts = list(part["classes"].values())
        shape = " × ".join(f"{side:,}" for side in part["images"]["shape"])
        bars = axes.bar(digits + offset, counts, 0.4, color=colour, label=f"{name}: {shape}")
        axes.bar_label(bars, fmt="{:,.0f}", fontsize=7, padding=1.5)
    axes.set_xticks(digits)
    axes.set_xlabel("Digit")
    axes.set_ylabel("Images")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.margins(y=0.12)
    axes.grid(visible=True, axis="y")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)


# The three functions of a Remote Python script ------------------------------------------------


def snaplogic_init():
    """Read the parameters first, so that a wrong one fails before anything is loaded."""
    global rows, seed
    arguments = snaplogic_pipe.get("args", {})  # noqa: F821 - given by the executor
    rows = whole_number(arguments, "rows", 6, 1, 20)
    seed = whole_number(arguments, "seed", 1, 0, 2**32 - 1)


def snaplogic_process(row):
    train_x, train_y = (unpacked(row["train"][part]) for part in ("images", "labels"))
    test_x, test_y = (unpacked(row["test"][part]) for part in ("images", "labels"))
    train, test = described(train_x, train_y), described(test_x, test_y)
    samples = chosen(train_y, rows, seed)
    content = picture(train_x[samples], train_y[samples], train, test)
    return {
        "train": train,
        "test": test,
        "seed": seed,
        "content": base64.b64encode(content).decode("ascii"),
    }


def snaplogic_final():
    return None
