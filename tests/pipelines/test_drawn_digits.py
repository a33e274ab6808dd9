"""drawn_digits.py: images in MNIST's format of digits in many styles, different every time."""

from typing import Any

import numpy as np
import pytest

from tests.pipelines.conftest import load_script

DIGITS = range(10)


@pytest.fixture
def drawing(monkeypatch: pytest.MonkeyPatch) -> Any:
    return load_script("drawn_digits", monkeypatch)


@pytest.fixture
def drawn(drawing: Any) -> tuple[Any, Any]:
    images, labels = drawing.drawn_digits(2000, np.random.default_rng(1))
    return images, labels


def images_of(drawing: Any, style: str, copies: int = 50) -> Any:
    return drawing.draw(style, copies, np.random.default_rng(1))


def test_images_have_the_type_and_range_of_a_network_s_input(drawn: tuple[Any, Any]) -> None:
    images, labels = drawn
    assert (images.shape, images.dtype, labels.shape) == ((2000, 28, 28, 1), np.float32, (2000,))
    assert images.min() >= 0
    assert (images.max(axis=(1, 2, 3)) > 0.75).all()  # ink of a thin, soft pen
    assert images.max() == 1


def test_all_digits_are_about_as_frequent(drawn: tuple[Any, Any]) -> None:
    counts = np.bincount(drawn[1], minlength=10)
    assert counts.min() > 150
    assert counts.max() < 250


def test_no_images_can_be_asked_for(drawing: Any) -> None:
    images, labels = drawing.drawn_digits(0, np.random.default_rng(1))
    assert (images.shape, labels.shape) == ((0, 28, 28, 1), (0,))


def test_the_centre_of_mass_is_near_the_middle_as_in_mnist(drawn: tuple[Any, Any]) -> None:
    grey = drawn[0][..., 0]
    pixels = np.arange(28) + 0.5
    centres = grey.sum(axis=(1, 2))[:, None] ** -1 * np.stack(
        [grey.sum(axis=1) @ pixels, grey.sum(axis=2) @ pixels], axis=1
    )
    away = np.abs(centres - 14)
    assert np.median(away) < 0.2
    assert away.max() < 2  # where lines cross, there is less ink than line


def test_a_digit_is_about_twenty_pixels_high_or_wide(drawn: tuple[Any, Any]) -> None:
    inked = drawn[0][..., 0] > 0.5
    larger = np.maximum(inked.any(axis=1).sum(axis=1), inked.any(axis=2).sum(axis=1))
    assert larger.min() >= 15
    assert larger.max() <= 22


def test_the_pen_is_as_wide_as_that_of_the_page(drawing: Any) -> None:
    stick = images_of(drawing, "30,0 30,50 30,100", 200)
    widths = stick[:, 12:16].sum(axis=2).mean()
    assert widths == pytest.approx(2.4, abs=0.3)


def test_no_two_drawings_of_a_style_are_the_same(drawing: Any) -> None:
    images = images_of(drawing, "2,4 58,4! 22,100").reshape(50, -1)
    assert len(np.unique(images, axis=0)) == 50


def test_the_pen_is_lifted_between_strokes(drawing: Any) -> None:
    apart = images_of(drawing, "0,0 0,100 | 60,0 60,100")
    joined = images_of(drawing, "0,0 0,100! 60,0! 60,100")
    assert apart.mean() < 0.85 * joined.mean()


def test_a_corner_is_sharper_than_a_curve(drawing: Any) -> None:
    corner, curve = (drawing.parsed(f"0,0 60,0{mark} 60,100") for mark in ("!", ""))
    furthest = [float((curves @ points)[:, 0].max()) for points, curves, _ in (corner, curve)]
    assert furthest[0] == pytest.approx(0.6, abs=1e-6)
    assert furthest[1] > 0.605  # the curve goes round the outside


@pytest.mark.parametrize("digit", DIGITS)
def test_every_style_is_written_in_a_box_of_60_by_100(drawing: Any, digit: int) -> None:
    for style in drawing.STYLES[digit]:
        points, curves, is_pen_down = drawing.parsed(style)
        assert points.min() >= -0.15
        assert points.max() <= 1.1
        assert len(is_pen_down) == len(curves) - 1
        assert curves.sum(axis=1) == pytest.approx(1)
    assert len(set(drawing.STYLES[digit])) == len(drawing.STYLES[digit]) >= 10
