"""The images that the network `fast` is trained on: varied, and some of them drawn."""

from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from tests.pipelines.conftest import load_script


@pytest.fixture
def fast_network(monkeypatch: pytest.MonkeyPatch) -> Any:
    module = load_script("fast_network", monkeypatch)
    monkeypatch.setattr(module, "augment", lambda images, random: images)
    return module


def random() -> np.random.Generator:
    return np.random.default_rng(1)


def test_augmentation_moves_the_centre_of_an_image_by_at_most_two_pixels(fast_network: Any) -> None:
    a, b, x, c, d, y, *_ = fast_network.affine_transforms(500, random()).T
    moved = np.stack([(a + b) * 13.5 + x, (c + d) * 13.5 + y]) - 13.5
    assert 1 < np.abs(moved).max() <= 2.0001


def test_augmentation_scales_an_image_by_at_most_a_tenth(fast_network: Any) -> None:
    a, b, _, c, d, *_ = fast_network.affine_transforms(500, random()).T
    area = a * d - b * c
    assert area.min() > 1 / 1.1**2 - 1e-5
    assert area.max() < 1 / 0.9**2 + 1e-5


@pytest.mark.parametrize("count", [1, 10, 1000])
def test_an_epoch_has_as_many_images_as_were_given(fast_network: Any, count: int) -> None:
    images = np.zeros((count, 28, 28, 1), np.float32)
    shown, labels = fast_network.epoch_images(images, np.zeros(count, int), random())
    assert shown.shape == images.shape
    assert labels.shape == (count,)


def test_one_in_five_images_of_an_epoch_are_drawn(fast_network: Any) -> None:
    black = np.zeros((1000, 28, 28, 1), np.float32)
    shown, labels = fast_network.epoch_images(black, np.full(1000, 10), random())
    is_drawn = shown.max(axis=(1, 2, 3)) > 0
    assert is_drawn.sum() == 200
    assert (is_drawn == (labels != 10)).all()
    assert 60 < is_drawn[:500].sum() < 140  # mixed


def test_every_epoch_is_different(fast_network: Any) -> None:
    images = np.zeros((300, 28, 28, 1), np.float32)
    randomness = random()
    first, second = (
        fast_network.epoch_images(images, np.zeros(300, int), randomness)[0].sum() for _ in "12"
    )
    assert first != second


@pytest.mark.parametrize(("epochs", "second"), [(4, 48), (8, 64)])
def test_a_long_training_has_more_filters(fast_network: Any, epochs: int, second: int) -> None:
    layers = Mock()
    fast_network.hidden_layers(layers, Mock(), epochs)
    assert [call.args[0] for call in layers.Conv2D.call_args_list] == [32, second, 64, 128]
