"""BentoML's way: a service whose method is batchable, so requests that wait are put together.

On two cores this was its quickest set-up at 32 at a time: two workers, batching, neither access log
nor metrics. One worker, or a method without batching (plain or async), gave less.
"""

from __future__ import annotations

import bentoml
import numpy as np

from benchmarks.serving.rivals.digit_model import Network


@bentoml.service(
    workers=2,
    logging={"access": {"enabled": False}},
    metrics={"enabled": False},
    traffic={"timeout": 60},
)
class Digits:
    """Answers from LiteRT; the input is a list of images, so a request carries a list of one."""

    def __init__(self) -> None:
        self.network = Network()

    @bentoml.api(batchable=True, max_batch_size=32, max_latency_ms=1000)
    def predict(self, images: np.ndarray) -> np.ndarray:
        """Label and its probability for each image."""
        scaled = images.astype(np.float32) / np.float32(255)
        probabilities = self.network(scaled.reshape(-1, 28, 28, 1))
        return np.stack([probabilities.argmax(axis=1), probabilities.max(axis=1)], axis=1)
