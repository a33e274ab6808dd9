"""confidence.py: probabilities that are as high as the network is right, and the limit for sure."""

from typing import Any

import numpy as np
import pytest

from tests.pipelines.conftest import load_script


@pytest.fixture
def confidence(monkeypatch: pytest.MonkeyPatch) -> Any:
    return load_script("confidence", monkeypatch)


def answers(share_right: float, claimed: float, count: int = 1000) -> tuple[Any, Any]:
    """Answers that all claim the same confidence for class 0, and labels of which a share is 0."""
    probabilities = np.full((count, 3), (1 - claimed) / 2, np.float32)
    probabilities[:, 0] = claimed
    return probabilities, (np.arange(count) >= share_right * count).astype(int)


@pytest.mark.parametrize("claimed", [0.7, 0.9, 0.99])
def test_the_temperature_brings_confidence_to_the_share_of_right_answers(
    confidence: Any, claimed: float
) -> None:
    probabilities, labels = answers(0.9, claimed)
    logits = np.log(probabilities) / confidence.temperature(probabilities, labels)
    calibrated = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert calibrated[0, 0] == pytest.approx(0.9, abs=0.01)


def test_a_probability_of_zero_does_not_stop_calibration(confidence: Any) -> None:
    probabilities, labels = answers(0.9, 1.0)
    assert confidence.temperature(probabilities, labels) == pytest.approx(10)


class FakeDense:
    weights = (np.full((2, 3), 4.0), np.full(3, 2.0))

    def get_weights(self) -> Any:
        return list(self.weights)

    def set_weights(self, weights: Any) -> None:
        self.weights = tuple(weights)


def test_a_network_is_cooled_by_dividing_its_last_weights(confidence: Any) -> None:
    layer = FakeDense()
    confidence.cool(type("Model", (), {"layers": [None, layer]}), 2.0)
    kernel, bias = layer.weights
    assert (kernel == 2).all()
    assert (bias == 1).all()


def test_few_right_answers_are_below_the_limit(confidence: Any) -> None:
    probabilities = np.linspace(0.5, 1, 1001)[:, None] * [1, 0] + [0, 0]
    limit = confidence.sure_above(probabilities, np.zeros(1001, int))
    assert (probabilities[:, 0] < limit).mean() == pytest.approx(confidence.UNSURE, abs=0.002)


def test_wrong_answers_do_not_move_the_limit(confidence: Any) -> None:
    right = np.linspace(0.5, 1, 101)[:, None] * [1, 0]
    wrong = np.tile([[0.0, 1.0]], (50, 1))
    labels = np.zeros(151, int)
    both = np.concatenate([right, wrong])
    assert confidence.sure_above(both, labels) == confidence.sure_above(right, labels[:101])
