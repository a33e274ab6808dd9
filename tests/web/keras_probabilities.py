"""A Remote Python script: Keras' probabilities for images. The model first, then all images."""

import base64
import pathlib
import tempfile
from typing import Any

import numpy as np
from snaplogic.tool import SLTool as slt  # noqa: N813

model: Any = None


def snaplogic_init() -> None:
    pass


def snaplogic_process(row: Any) -> Any:
    global model
    if "model" in row:
        from keras.models import load_model

        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "model.keras")
            path.write_bytes(base64.b64decode(row["model"]))
            model = load_model(path, compile=False)
        return slt.get_drop_doc()
    images = np.array(row["images"], np.float32)[..., None] / np.float32(255)
    return {"probabilities": model(images, training=False).numpy().astype(float).tolist()}


def snaplogic_final() -> None:
    pass
