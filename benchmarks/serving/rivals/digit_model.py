"""The digit model as the building pipeline saves it, for servers that are not the engine's."""

from __future__ import annotations

import base64
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

MODEL = Path(os.environ.get("DIGIT_MODEL", "models/digits.json"))
TOKEN = "a-digit"
SIZES = (32, 16, 8, 4, 2, 1)


def document(path: Path = MODEL) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def network_input(image: Any) -> Any:
    """28 rows of 28 grey values from 0 to 255 → float32 from 0 to 1, of shape (28, 28, 1)."""
    return (np.array(image, np.float32) / np.float32(255)).reshape(28, 28, 1)


def keras_model() -> Any:
    """The Keras model, as a handler that calls `model.predict` needs it."""
    import keras

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "digits.keras")
        path.write_bytes(base64.b64decode(document()["model"]))
        return keras.saving.load_model(path, compile=False)


class Network:
    """LiteRT with an interpreter for each of a few batch sizes: resizing one takes milliseconds."""

    def __init__(self) -> None:
        content = base64.b64decode(document()["litert"])
        self._interpreters = [(size, _Interpreter(content, size)) for size in SIZES]

    def __call__(self, images: Any) -> Any:
        """The probabilities of the ten digits, a row for each image."""
        results, start = [], 0
        for size, interpreter in self._interpreters:
            while len(images) - start >= size:
                results.append(interpreter(images[start : start + size]))
                start += size
        return np.concatenate(results)


class _Interpreter:
    def __init__(self, content: bytes, size: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._litert = Interpreter(model_content=content, num_threads=1)
        [given], [answered] = self._litert.get_input_details(), self._litert.get_output_details()
        self._litert.resize_tensor_input(given["index"], (size, 28, 28, 1))
        self._litert.allocate_tensors()
        self._given, self._answered = given["index"], answered["index"]

    def __call__(self, images: Any) -> Any:
        self._litert.set_tensor(self._given, images)
        self._litert.invoke()
        return self._litert.get_tensor(self._answered)


def prediction(probabilities: Any) -> dict[str, Any]:
    best = int(probabilities.argmax())
    return {"pred": best, "conf": float(probabilities[best])}
