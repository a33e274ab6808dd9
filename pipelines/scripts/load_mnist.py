"""Load the 70,000 handwritten digits of MNIST and emit them as one document.

A Remote Python script. Other scripts get the images from this one through a link. In `train` and
`test`, the fields `images` and `labels` hold a `shape` and, in `zlib`, the compressed bytes of a
uint8 array as base64 (17 MB in all).
"""

import os

import tensorflow_setup

tensorflow_setup.ensure()

from mnist import load_mnist, packed  # noqa: E402 - it needs numpy, which TensorFlow brings

# The three functions of a Remote Python script ------------------------------------------------


def snaplogic_init():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def snaplogic_process(row):
    """Does nothing: this snap has no input."""


def snaplogic_final():
    train_x, train_y, test_x, test_y = map(packed, load_mnist())
    return {
        "train": {"images": train_x, "labels": train_y},
        "test": {"images": test_x, "labels": test_y},
    }
